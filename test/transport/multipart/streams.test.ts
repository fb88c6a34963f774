import { describe, expect, test } from 'vitest'
import { decodeCursor } from '../../../src/streams/cursor/cursor.ts'
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../../kit/gateway.ts'
import type { Part } from '../../kit/parts.ts'
import { partsOf } from '../../kit/parts.ts'
import { bearer, believeTokens } from '../../kit/pretended-tokens.ts'
import { type RawRequest, RawStream } from '../../kit/raw-stream.ts'
import { until } from '../../kit/until.ts'
import { probeSchema } from '../probe-schema.ts'

/** No heartbeat comes in the time of a test, unless it says so: the first may be due at once. */
const start = ({ env, ...options }: TestGatewayOptions = {}): Promise<TestGateway> =>
  startTestGateway({ ...options, env: { HEARTBEAT_MS: '600000', ...env } })

const IDS = 'subscription { ordersByRegion(region: EUROPE) { id } }'
const APOLLO = 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json;q=0.9'

function byPost(query: string, more: { accept?: string; headers?: object; extensions?: object } = {}): RawRequest {
  const { accept = APOLLO, headers, extensions } = more
  return { method: 'POST', headers: { accept, ...headers }, body: { query, extensions } }
}

function byGet(query: string, accept = APOLLO): RawRequest {
  return { search: `?${new URLSearchParams({ query })}`, headers: { accept } }
}

async function open(gateway: TestGateway, request: RawRequest): Promise<RawStream> {
  const stream = await RawStream.send(gateway.graphql, request)
  await until('the first boundary came', () => stream.hasHead && stream.body.startsWith('--graphql'))
  return stream
}

const idsOf = (parts: readonly Part[]) =>
  parts.flatMap(({ payload }) => (payload?.data?.ordersByRegion as { id: string } | undefined)?.id ?? [])
const codesOf = (parts: readonly Part[]) =>
  parts.flatMap(({ payload, errors = payload?.errors ?? [] }) => errors.map((error) => error.extensions?.code))

describe.each([
  ['POST', byPost(IDS)],
  ['GET', byGet(IDS)],
  ['POST over HTTP/1.0', { ...byPost(IDS), httpVersion: '1.0' as const }],
  ['POST, without the boundary', byPost(IDS, { accept: 'multipart/mixed;subscriptionSpec=1.0' })],
])('multipart 1, by %s', (_name, request) => {
  test('a subscription is answered with parts, the first boundary at once, each result as it happens', async () => {
    const gateway = await start()
    const stream = await open(gateway, request)
    expect(stream.status).toBe(200)
    expect(stream.headers).toMatchObject({
      'content-type': 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      connection: 'close',
    })
    expect(stream.headers).not.toHaveProperty('content-length')
    expect(stream.body).toBe('--graphql')
    await gateway.produce({ id: 'a' }, { id: 'b', region: 'ASIA' }, { id: 'c' })
    await stream.untilParts(2)
    const part = (id: string) =>
      `\r\ncontent-type: application/json\r\n\r\n{"payload":{"data":{"ordersByRegion":{"id":"${id}"}}}}\r\n--graphql`
    expect(stream.body).toBe(`--graphql${part('a')}${part('c')}`)
  })
})

describe('multipart 2', () => {
  test('a quiet stream has heartbeats: empty objects by Apollo’s protocol, white space for other readers', async () => {
    const gateway = await start({ env: { HEARTBEAT_MS: '100' } })
    const apollo = await open(gateway, byPost(IDS))
    const other = await open(gateway, byPost(IDS, { accept: 'multipart/mixed' }))
    expect(other.headers['content-type']).toBe('multipart/mixed;boundary="graphql"')
    expect((await apollo.untilParts(2)).slice(0, 2)).toEqual([{}, {}])
    await until('white space came', () => other.body.endsWith('  '))
    await gateway.produce({ id: 'a' })
    await until('the order came to both', () => idsOf([...apollo.parts, ...other.parts]).length === 2)
    expect(other.parts).toEqual([{ payload: { data: { ordersByRegion: { id: 'a' } } } }])
  })

  test('a finite subscription ends with a null payload and the closing boundary', async () => {
    const gateway = await start({ schema: probeSchema().schema })
    const stream = await RawStream.send(gateway.graphql, byPost('subscription { count(to: 2) }'))
    await stream.untilEnd()
    expect(partsOf(stream.body)).toEqual({
      parts: [{ payload: { data: { count: 1 } } }, { payload: { data: { count: 2 } } }, { payload: null }],
      isClosed: true,
    })
    expect(stream.body.endsWith('\r\n--graphql--\r\n')).toBe(true)
  })

  test.each([
    ['a shutdown', {}, (gateway: TestGateway) => gateway.close()],
    ['the maximum age of a stream', { STREAM_MAX_AGE_MS: '300' }, () => Promise.resolve()],
  ])('%s ends it with an error of the transport, and the closing boundary', async (_why, env, end) => {
    const gateway = await start({ env })
    const streams = [
      await open(gateway, byPost(IDS)),
      await open(gateway, byPost(IDS, { accept: 'multipart/mixed' })),
    ] as const
    await end(gateway)
    for (const stream of streams) await stream.untilEnd()
    const [{ parts, isClosed }, other] = streams.map(({ body }) => partsOf(body)) as [
      ReturnType<typeof partsOf>,
      unknown,
    ]
    const extensions = { code: 'STREAM_INTERRUPTED', retryAfterMs: expect.any(Number) }
    const last = { payload: null, errors: [{ message: expect.any(String), extensions }] }
    expect({ parts, isClosed }).toEqual({ parts: [last], isClosed: true })
    expect(other).toEqual({ parts: [last], isClosed: true })
    expect(parts[0]?.errors?.[0]?.extensions?.retryAfterMs).toBeLessThanOrEqual(1_250)
  })

  test('credentials that expire end the stream, which is to come back; revoked ones end the operation', async () => {
    believeTokens()
    const gateway = await start({ env: { AUTH_CLOCK_TOLERANCE_MS: '0' } })
    const of = (token: Parameters<typeof bearer>[0]) => byPost(IDS, { headers: bearer(token) })
    const expiring = await open(gateway, of({ id: 'acme', expiresAt: Date.now() + 300 }))
    const revoked = await open(gateway, of({ id: 'other' }))
    await fetch(`${gateway.adminUrl}/revoke`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ principal: 'other' }),
    })
    for (const stream of [expiring, revoked]) await stream.untilEnd()
    expect(codesOf(expiring.parts)).toEqual(['SESSION_EXPIRED', 'STREAM_INTERRUPTED'])
    expect(codesOf(revoked.parts)).toEqual(['REVOKED'])
    expect(revoked.parts.at(-1)).toEqual({ payload: null })
    expect([expiring, revoked].map(({ body }) => partsOf(body).isClosed)).toEqual([true, true])
  })

  test('a refused operation is a part with its errors, then the end', async () => {
    const gateway = await start()
    for (const query of ['subscription {', 'subscription { nope }', 'subscription { orders(after: "AQ") { id } }']) {
      for (const request of [byPost(query), byGet(query)]) {
        const { status, headers, body } = await RawStream.answer(gateway.graphql, request)
        expect([status, headers['content-type']]).toEqual([
          200,
          'multipart/mixed;boundary="graphql";subscriptionSpec=1.0',
        ])
        const { parts, isClosed } = partsOf(body)
        expect(parts).toEqual([{ payload: { errors: [expect.any(Object)] } }, { payload: null }])
        expect([codesOf(parts)[0], isClosed]).toEqual([expect.stringMatching(/^(GRAPHQL|CURSOR)_/), true])
      }
      const other = partsOf(
        (await RawStream.answer(gateway.graphql, byPost(query, { accept: 'multipart/mixed' }))).body,
      )
      expect(other).toEqual({ parts: [{ payload: { errors: [expect.any(Object)] } }], isClosed: true })
    }
  })
})

describe('multipart 3: it is the same stream as by other media types', () => {
  test('members of all media types are one group: one execution for each event', async () => {
    const gateway = await start()
    const parts = [await open(gateway, byPost(IDS)), await open(gateway, byPost(IDS, { extensions: { cursor: true } }))]
    const events = await RawStream.subscribe(gateway.graphql, IDS)
    await until('they are open', () => gateway.engine.subscribers === 3)
    expect(gateway.engine.groups).toBe(1)
    await gateway.produce({ id: 'a' })
    await events.untilResults(1)
    for (const stream of parts) await until('it came', () => idsOf(stream.parts).includes('a'))
    expect(await gateway.metric('sluice_executions_total')).toBe(1)
  })

  test('positions are in the extensions where asked for, and every way to name one resumes there', async () => {
    const gateway = await start()
    const asked = { cursor: true }
    const stream = await open(gateway, byPost(IDS, { extensions: asked }))
    const [first] = await stream.untilParts(1)
    expect(Object.keys(first?.payload ?? {})).toEqual(['extensions'])
    await gateway.produce({ id: 'a' }, { id: 'b' }, { id: 'c' })
    const parts = await stream.untilParts(4)
    const cursors = parts.map(({ payload }) => String(payload?.extensions?.cursor))
    const counts = cursors.map((each) =>
      decodeCursor('orders', each).positions.reduce((sum, offset) => sum + offset, 0),
    )
    expect(counts).toEqual([0, 1, 2, 3])
    const [from, afterA] = cursors as [string, string]
    const ways: RawRequest[] = [
      byPost(IDS, { headers: { 'last-event-id': afterA } }),
      byPost(IDS, { extensions: { lastEventId: afterA } }),
      byPost(`subscription { ordersByRegion(region: EUROPE, after: "${afterA}") { id } }`),
      { search: `?${new URLSearchParams({ query: IDS, lastEventId: afterA })}`, headers: { accept: APOLLO } },
    ]
    for (const way of ways) {
      const back = await open(gateway, way)
      await until('what was missed came', () => idsOf(back.parts).length === 2)
      expect(idsOf(back.parts)).toEqual(['b', 'c'])
    }
    const marked = await open(gateway, byPost(IDS, { extensions: { ...asked, markers: true, lastEventId: from } }))
    await until('the past has ended', () => marked.parts.some(({ payload }) => payload?.extensions?.caughtUp === true))
    expect(idsOf(marked.parts)).toEqual(['a', 'b', 'c'])
    // Its place is the client's own, until it has been told more.
    expect(marked.parts[0]).toEqual({ payload: { extensions: { cursor: from } } })
  })

  test('a gap is told in a part, and the stream goes on', async () => {
    const old = await start()
    const watcher = await open(old, byPost(IDS, { extensions: { cursor: true } }))
    await old.produce({ id: 'lost' }, { id: 'lost too' })
    const lastEventId = (await watcher.untilParts(3)).at(-1)?.payload?.extensions?.cursor
    await old.close()
    const gateway = await start()
    const back = await open(gateway, byPost(IDS, { extensions: { cursor: true, lastEventId } }))
    await gateway.produce({ id: 'a' })
    await until('it goes on', () => idsOf(back.parts).length === 1)
    expect(codesOf(back.parts)).toEqual(['CURSOR_EXPIRED'])
    const gap = back.parts.find(({ payload }) => payload?.errors)
    expect(gap?.payload?.extensions?.cursor).toEqual(expect.any(String))
  })

  test('gzip is decoded part by part, at once', async () => {
    const gateway = await start()
    const response = await fetch(gateway.graphql, {
      method: 'POST',
      headers: { accept: APOLLO, 'accept-encoding': 'gzip', 'content-type': 'application/json' },
      body: JSON.stringify({ query: IDS }),
    })
    expect(response.headers.get('content-encoding')).toBe('gzip')
    let body = ''
    const reading = (async () => {
      for await (const text of response.body!.pipeThrough(new TextDecoderStream())) body += text
    })()
    for (const id of ['a', 'b', 'c']) {
      await gateway.produce({ id })
      await until(`${id} came`, () => idsOf(partsOf(body).parts).at(-1) === id)
    }
    await gateway.close()
    await reading
    expect(partsOf(body).isClosed).toBe(true)
  })

  test('a client that leaves is let go of at once', async () => {
    const gateway = await start()
    const stream = await open(gateway, byPost(IDS))
    await until('it is open', () => gateway.engine.subscribers === 1)
    await stream.close()
    await until('it is gone', () => gateway.engine.subscribers === 0)
    expect(gateway.engine.groups).toBe(0)
  })
})

describe('what is served follows accept', () => {
  const SSE = 'text/event-stream; charset=utf-8'
  const PARTS = 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
  const PLAIN = 'multipart/mixed;boundary="graphql"'

  test.each([
    [
      'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9',
      PARTS,
    ],
    ['Multipart/Mixed; SubscriptionSpec="1.0"; boundary="a,b;c"', PARTS],
    ['multipart/mixed; subscriptionSpec=1.0; q=0.5, text/event-stream;q=0.4', PARTS],
    ['multipart/mixed;q=0.5;subscriptionSpec=1.0, text/event-stream', SSE],
    ['text/event-stream, multipart/mixed', SSE],
    ['multipart/mixed, text/event-stream', PLAIN],
    ['multipart/mixed;subscriptionSpec=1.0, */*;q=0.1', PARTS],
    ['multipart/*', PLAIN],
    ['*/*', SSE],
    ['application/json, multipart/mixed;subscriptionSpec=1.0', PARTS],
    ['multipart/mixed;deferSpec=20220824, text/event-stream;q=0.5', SSE],
    ['multipart/mixed;q=0, text/event-stream', SSE],
  ])('a subscription that accepts %s', async (accept, type) => {
    const gateway = await start()
    const stream = await RawStream.send(gateway.graphql, byPost(IDS, { accept }))
    await stream.untilHead()
    expect([stream.status, stream.headers['content-type']]).toEqual([200, type])
  })

  test('a subscription that accepts increments of a query only is told what there is', async () => {
    const gateway = await start()
    const accept = 'multipart/mixed;incrementalSpec=v0.2, application/json'
    const answer = await RawStream.answer(gateway.graphql, byPost(IDS, { accept }))
    expect([answer.status, answer.json.errors[0].extensions.code]).toEqual([406, 'SUBSCRIPTION_NEEDS_SSE'])
    expect(answer.json.errors[0].message).toContain('multipart/mixed')
  })

  test.each([
    [APOLLO, 'application/json; charset=utf-8'],
    [
      'multipart/mixed;subscriptionSpec=1.0, application/graphql-response+json',
      'application/graphql-response+json; charset=utf-8',
    ],
    [
      'multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9',
      'application/graphql-response+json; charset=utf-8',
    ],
    ['multipart/mixed, */*;q=0.1', 'application/json; charset=utf-8'],
    ['multipart/mixed;subscriptionSpec=1.0', PARTS],
    ['multipart/mixed', PLAIN],
  ])('a query and a mutation that accept %s are one result', async (accept, type) => {
    const gateway = await start({ schema: probeSchema().schema })
    for (const [query, data] of [
      ['{ hello }', { hello: 'world' }],
      ['mutation { shout(text: "hey") }', { shout: 'HEY' }],
    ] as const) {
      const answer = await RawStream.answer(gateway.graphql, byPost(query, { accept }))
      expect([answer.status, answer.headers['content-type']]).toEqual([200, type])
      const isParts = type.startsWith('multipart')
      expect(isParts ? partsOf(answer.body).parts[0]?.payload : answer.json).toEqual({ data })
      expect(!isParts || partsOf(answer.body).isClosed).toBe(true)
    }
  })
})
