import { describe, expect, test } from 'vitest'
import { anOrder, startTestGateway } from '../kit/gateway.ts'
import { type RawRequest, RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'
import { probeSchema } from './probe-schema.ts'

const IDS = 'subscription { ordersByRegion(region: EUROPE) { id } }'
const STREAM = { accept: 'text/event-stream' }

function byGet(query: string, more: Record<string, string> = {}): RawRequest {
  return { search: `?${new URLSearchParams({ query, ...more })}`, headers: STREAM }
}

function byPost(query: string): RawRequest {
  return { method: 'POST', headers: STREAM, body: { query } }
}

const WAYS = [
  ['POST over HTTP/1.1', byPost(IDS), '1.1'],
  ['POST over HTTP/1.0', byPost(IDS), '1.0'],
  ['GET over HTTP/1.1', byGet(IDS), '1.1'],
  ['GET over HTTP/1.0', byGet(IDS), '1.0'],
] as const

describe.each(WAYS)('%s', (_name, request, httpVersion) => {
  test('distinct 1: is answered 200 with an event stream that nobody may keep, change or hold back', async () => {
    const gateway = await startTestGateway()
    const stream = await RawStream.send(gateway.graphql, { ...request, httpVersion })
    await stream.untilHead()
    expect(stream.status).toBe(200)
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    })
  })

  test('the body is delimited by the end of the connection: no chunks, no length', async () => {
    const gateway = await startTestGateway()
    const stream = await RawStream.send(gateway.graphql, { ...request, httpVersion })
    await stream.untilBlocks(1)
    expect(stream.headers).toMatchObject({ connection: 'close' })
    expect(stream.headers).not.toHaveProperty('transfer-encoding')
    expect(stream.headers).not.toHaveProperty('content-length')
    expect(stream.body).toMatch(/^retry: \d+\nid: /)
  })

  test('distinct 2: the start cursor and a fresh retry come at once, before any event', async () => {
    const gateway = await startTestGateway()
    const stream = await RawStream.send(gateway.graphql, { ...request, httpVersion })
    const [first] = await stream.untilBlocks(1)
    expect(first).toEqual({
      retry: expect.stringMatching(/^[1-9]\d{2,4}$/),
      id: expect.stringMatching(/^[\w-]+$/),
    })
  })

  test('distinct 3: each result is "event: next" with the execution result as its data', async () => {
    const gateway = await startTestGateway()
    const stream = await RawStream.send(gateway.graphql, { ...request, httpVersion })
    await stream.untilBlocks(1)
    await gateway.produce({ id: 'a' }, { id: 'b', region: 'ASIA' }, { id: 'c' })
    await stream.untilResults(2)
    expect(stream.blocks.slice(1)).toEqual([
      { id: expect.any(String), event: 'next', data: '{"data":{"ordersByRegion":{"id":"a"}}}' },
      { id: expect.any(String), event: 'next', data: '{"data":{"ordersByRegion":{"id":"c"}}}' },
    ])
  })
})

describe('queries and mutations over SSE', () => {
  test.each([
    ['POST', byPost('{ hello }'), { hello: 'world' }],
    ['GET', byGet('{ hello }'), { hello: 'world' }],
    ['POST', byPost('mutation { shout(text: "hey") }'), { shout: 'HEY' }],
  ])('distinct 3: by %s they are one next, then complete, then the end', async (_method, request, data) => {
    const gateway = await startTestGateway({ schema: probeSchema().schema })
    const stream = await RawStream.answer(gateway.graphql, request)
    expect(stream.status).toBe(200)
    expect(stream.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    expect(stream.blocks).toEqual([
      { event: 'next', data: JSON.stringify({ data }) },
      { event: 'complete', data: '' },
    ])
  })

  test('a mutation over GET is refused with 405 before it is executed, also over SSE', async () => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const stream = await RawStream.answer(gateway.graphql, byGet('mutation { shout(text: "hey") }'))
    expect(stream.status).toBe(405)
    expect(stream.headers.allow).toBe('POST')
    expect(probe.shouts).toBe(0)
  })
})

test('distinct 3: the end is "event: complete" with an empty data line', async () => {
  const gateway = await startTestGateway({ schema: probeSchema().schema })
  const stream = await RawStream.subscribe(gateway.graphql, 'subscription { count(to: 2) }')
  await stream.untilEnd()
  expect(stream.body).toMatch(
    /^retry: \d+\n\nevent: next\ndata: {"data":{"count":1}}\n\nevent: next\ndata: {"data":{"count":2}}\n\nevent: complete\ndata:\n\n$/,
  )
})

describe('accept is a list with q values', () => {
  test.each([
    'text/event-stream',
    'TEXT/Event-Stream',
    'text/*',
    '*/*',
    'text/event-stream;q=0.1',
    'application/json;q=0.9, text/event-stream;q=0.2',
    'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
    'text/event-stream; charset=utf-8, */*;q=0.1',
  ])('distinct 1: a subscription that accepts %s is an event stream', async (accept) => {
    const gateway = await startTestGateway()
    const stream = await RawStream.send(gateway.graphql, {
      method: 'POST',
      headers: { accept },
      body: { query: IDS },
    })
    await stream.untilHead()
    expect([stream.status, stream.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8'])
  })

  test.each([
    ['application/json', 'application/json; charset=utf-8'],
    ['*/*', 'application/json; charset=utf-8'],
    ['application/*', 'application/json; charset=utf-8'],
    ['application/json, text/event-stream', 'application/json; charset=utf-8'],
    ['text/event-stream, application/json', 'text/event-stream; charset=utf-8'],
    ['text/event-stream;q=0.5, application/json', 'application/json; charset=utf-8'],
    ['application/json;q=0, */*', 'application/graphql-response+json; charset=utf-8'],
    ['application/graphql-response+json', 'application/graphql-response+json; charset=utf-8'],
    [
      'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
      'application/graphql-response+json; charset=utf-8',
    ],
  ])('distinct 1: a query that accepts %s is answered as %s', async (accept, type) => {
    const gateway = await startTestGateway()
    const answer = await RawStream.answer(gateway.graphql, {
      method: 'POST',
      headers: { accept },
      body: { query: '{ __typename }' },
    })
    expect([answer.status, answer.headers['content-type']]).toEqual([200, type])
  })

  test('distinct 1: a subscription by GET with no accept at all, as from a first try by hand, is an event stream', async () => {
    const gateway = await startTestGateway()
    const stream = await RawStream.send(gateway.graphql, { search: `?query=${encodeURIComponent(IDS)}` })
    await stream.untilHead()
    expect([stream.status, stream.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8'])
  })
})

describe('distinct 5: everything of an operation is freed at once', () => {
  test.each([
    ['closes its connection', (stream: RawStream) => stream.socket.end()],
    ['resets its connection', (stream: RawStream) => stream.socket.resetAndDestroy()],
  ])('when the client of a shared stream %s', async (_how, leave) => {
    const gateway = await startTestGateway()
    const stream = await RawStream.subscribe(gateway.graphql, IDS)
    expect(await gateway.metric('sluice_subscribers')).toBe(1)
    expect(await gateway.metric('sluice_groups')).toBe(1)
    leave(stream)
    await until('no subscriber is left', async () => (await gateway.metric('sluice_subscribers')) === 0)
    expect(await gateway.metric('sluice_groups')).toBe(0)
    expect(await gateway.metric('sluice_frame_log_bytes')).toBe(0)
    expect(await gateway.metric('sluice_closes_total', { reason: 'client' })).toBe(1)
    await gateway.produce({})
    expect(await gateway.metric('sluice_executions_total')).toBe(0)
  })

  test('when the client of a hand-written subscription closes its connection: its source has ended', async () => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const stream = await RawStream.subscribe(gateway.graphql, 'subscription { silent }')
    await until('the source has started', () => probe.open === 1)
    expect(await gateway.metric('sluice_subscribers')).toBe(1)
    await stream.close()
    await until('the source has ended', () => probe.open === 0)
    expect(await gateway.metric('sluice_subscribers')).toBe(0)
  })

  test('one client that leaves takes nothing from another of its group', async () => {
    const gateway = await startTestGateway()
    const leaver = await RawStream.subscribe(gateway.graphql, IDS)
    const stayer = await RawStream.subscribe(gateway.graphql, IDS)
    await leaver.close()
    await until('one subscriber is left', async () => (await gateway.metric('sluice_subscribers')) === 1)
    await gateway.produce({ id: 'a' })
    expect(await stayer.untilResults(1)).toEqual([{ data: { ordersByRegion: { id: 'a' } } }])
  })
})

describe('distinct 6: frames', () => {
  test('have ids without a line break or NUL, and no named event but next and complete, whatever the values hold', async () => {
    const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '100' } })
    const stream = await RawStream.subscribe(
      gateway.graphql,
      'subscription { ordersByRegion(region: EUROPE) { id city } }',
    )
    const city = 'a\nb\r\nc\rd\u0000e\u2028f\u2029: id: x\n\nevent: boo'
    await gateway.produce({ id: '1', city }, { id: '2', city: '😀' })
    await until('a heartbeat follows', () => stream.blocks.at(-1)?.event === undefined && stream.blocks.length > 3)

    expect(stream.results.map(({ data }) => data?.ordersByRegion)).toEqual([
      { id: '1', city },
      { id: '2', city: '😀' },
    ])
    const names = new Set(stream.blocks.map(({ event }) => event))
    expect(names).toEqual(new Set([undefined, 'next']))
    for (const { id } of stream.blocks) expect(id).toMatch(/^[\w-]+$/)
    expect(stream.body).not.toContain('\r')
    expect(stream.body).not.toContain('\0')
  })

  test('are written whole: what ends by shutdown ends behind a whole block, with a retry and no complete', async () => {
    const gateway = await startTestGateway()
    const stream = await RawStream.subscribe(gateway.graphql, IDS)
    await gateway.produce(...Array.from({ length: 50 }, () => anOrder()))
    await gateway.close()
    await stream.untilEnd()
    expect(stream.body.endsWith('\n\n')).toBe(true)
    expect(stream.blocks.at(-1)).toEqual({ retry: expect.stringMatching(/^\d+$/) })
    expect(stream.body).not.toContain('event: complete')
  })

  test('a quiet stream is told its cursor by every heartbeat, in a block without data', async () => {
    const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '100' } })
    const stream = await RawStream.subscribe(gateway.graphql, IDS)
    await gateway.produce({ region: 'ASIA' })
    await until('a heartbeat says that the order was passed', () => {
      const ids = stream.blocks.map(({ id }) => id)
      return ids.at(-1) !== ids[0]
    })
    expect(stream.blocks.at(-1)).toEqual({ id: expect.any(String) })
  })
})
