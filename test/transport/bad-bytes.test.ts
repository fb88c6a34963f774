import { describe, expect, test } from 'vitest'
import { anOrder, startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { type RawRequest, RawStream, requestBytes } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'
import { probeSchema } from './probe-schema.ts'

const IDS = 'subscription { ordersByRegion(region: EUROPE) { id } }'
const STREAM = { accept: 'text/event-stream' }

function aQuery(query: string): RawRequest {
  return { method: 'POST', body: { query } }
}

function aSubscription(query = IDS): RawRequest {
  return { method: 'POST', headers: STREAM, body: { query } }
}

async function untilAlone(gateway: TestGateway): Promise<void> {
  await until('one subscriber is left', async () => (await gateway.metric('sluice_subscribers')) === 1)
}

describe('bytes behind an open stream', () => {
  test.each([
    ['a second request', (url: string) => requestBytes(url, aQuery('{ __typename }'))],
    ['a second subscription', (url: string) => requestBytes(url, aSubscription())],
    ['garbage', () => '\u0000\u0001 nothing of HTTP\r\n\r\n'],
    ['a line end', () => '\r\n'],
  ])('%s ends it, with no byte of an answer in it, and touches nobody else', async (_what, bytes) => {
    const gateway = await startTestGateway()
    const other = await RawStream.subscribe(gateway.graphql, IDS)
    const stream = await RawStream.subscribe(gateway.graphql, IDS)
    await stream.untilBlocks(1)
    stream.socket.write(bytes(gateway.graphql))
    await stream.untilEnd()
    expect(stream.blocks).toHaveLength(1)
    expect(stream.body).not.toContain('HTTP/1.1')
    await untilAlone(gateway)
    await gateway.produce({ id: 'a' })
    expect(await other.untilResults(1)).toEqual([{ data: { ordersByRegion: { id: 'a' } } }])
  })

  test('a half-closed connection is one that its client has left', async () => {
    const gateway = await startTestGateway()
    const stream = await RawStream.subscribe(gateway.graphql, IDS)
    stream.socket.end()
    await stream.untilEnd()
    expect(await gateway.metric('sluice_subscribers')).toBe(0)
  })
})

describe('requests sent ahead on one connection', () => {
  test('are answered one after the other', async () => {
    const gateway = await startTestGateway({ schema: probeSchema().schema })
    const requests = [aQuery('{ hello }'), aQuery('mutation { shout(text: "x") }'), aQuery('{ hello }')]
    const bytes = requests.map((request) => requestBytes(gateway.graphql, request)).join('')
    const stream = await RawStream.write(gateway.graphql, bytes)
    await until('three answers came', () => stream.received.split('HTTP/1.1 200').length === 4)
    expect(stream.received.match(/{"data".*?}}/g)).toEqual([
      '{"data":{"hello":"world"}}',
      '{"data":{"shout":"X"}}',
      '{"data":{"hello":"world"}}',
    ])
  })

  test('a subscription behind a query opens when that is answered', async () => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const requests = [aQuery('{ later }'), aSubscription('subscription { orderIds }')]
    const bytes = requests.map((request) => requestBytes(gateway.graphql, request)).join('')
    const stream = await RawStream.write(gateway.graphql, bytes)
    await gateway.produce({ id: 'before' })
    probe.release()
    await until('the stream is open', async () => (await gateway.metric('sluice_subscribers')) === 1)
    await gateway.produce({ id: 'after' })
    await until('an order came', () => stream.received.includes('event: next'))
    expect(stream.received).toContain('{"data":{"later":"now"}}')
    expect(stream.received.match(/"orderIds":"\w+"/g)).toEqual(['"orderIds":"after"'])
  })

  test('what is sent ahead behind a subscription ends it, and is not executed', async () => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const requests = [aSubscription('subscription { orderIds }'), aQuery('mutation { shout(text: "x") }')]
    const bytes = requests.map((request) => requestBytes(gateway.graphql, request)).join('')
    const stream = await RawStream.write(gateway.graphql, bytes)
    await stream.untilEnd()
    expect(probe.shouts).toBe(0)
    expect(await gateway.metric('sluice_subscribers')).toBe(0)
    expect(await gateway.metric('sluice_groups')).toBe(0)
  })

  test('a hand-written subscription that waits behind a query is not started for a client that left', async () => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const requests = [aQuery('{ later }'), aSubscription('subscription { silent }')]
    const bytes = requests.map((request) => requestBytes(gateway.graphql, request)).join('')
    const stream = await RawStream.write(gateway.graphql, bytes)
    await stream.close()
    probe.release()
    const next = await RawStream.answer(gateway.graphql, aQuery('{ later }'))
    expect(next.json).toEqual({ data: { later: 'now' } })
    expect(probe.open).toBe(0)
  })
})

describe('what is not HTTP', () => {
  test.each([
    ['garbage', '\u0000\u0001\u0002 hello\r\n\r\n', 400],
    ['a TLS hello', Buffer.from('16030100c8010000c40303', 'hex'), 400],
    ['a header line without a colon', 'GET /graphql HTTP/1.1\r\nhost: x\r\nnonsense\r\n\r\n', 400],
    ['a request without a host', 'GET /graphql HTTP/1.1\r\n\r\n', 400],
    ['a bad content length', 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n', 400],
    [
      'a length and chunks at once, as in request smuggling',
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['headers of 100 KB', `GET /graphql HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
  ])('%s is answered and closed; the gateway lives on', async (_what, bytes, status) => {
    const gateway = await startTestGateway()
    const other = await RawStream.subscribe(gateway.graphql, IDS)
    const stream = await RawStream.write(gateway.graphql, bytes)
    await stream.untilEnd()
    expect(stream.status).toBe(status)
    await gateway.produce({ id: 'a' })
    expect(await other.untilResults(1)).toEqual([{ data: { ordersByRegion: { id: 'a' } } }])
  })

  test('garbage behind a request that is still being answered cuts the connection instead of answering for it', async () => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const stream = await RawStream.send(gateway.graphql, aQuery('{ later }'))
    stream.socket.write('\u0000garbage\r\n\r\n')
    await stream.untilEnd()
    expect(stream.received).toBe('')
    probe.release()
  })
})

describe('a body that is too large', () => {
  test.each([
    ['by its length', { method: 'POST', body: { query: 'x'.repeat(2_000_000) } }],
    ['by its length, to a client of streams', { ...aSubscription('x'.repeat(2_000_000)) }],
  ])('%s is refused with 413 and the connection closed', async (_how, request) => {
    const gateway = await startTestGateway()
    const stream = await RawStream.send(gateway.graphql, request)
    await stream.untilEnd()
    expect([stream.status, stream.headers.connection]).toEqual([413, 'close'])
    expect(stream.json.errors[0]).toEqual({
      message: 'The request body has more than 262144 bytes',
      extensions: { code: 'BODY_TOO_LARGE' },
    })
  })

  test('in chunks, without a length, is refused as soon as it is too large', async () => {
    const gateway = await startTestGateway()
    const stream = await RawStream.write(
      gateway.graphql,
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    )
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    for (let sent = 0; sent < 8; sent++) stream.socket.write(chunk)
    await stream.untilEnd()
    expect([stream.status, stream.headers.connection]).toEqual([413, 'close'])
    expect(stream.json.errors[0].extensions.code).toBe('BODY_TOO_LARGE')
  })

  test('that never ends is cut off', async () => {
    const gateway = await startTestGateway()
    const stream = await RawStream.write(
      gateway.graphql,
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    )
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    await until('the gateway closed the connection', () => {
      if (stream.socket.writable && stream.socket.writableLength < 1_000_000) stream.socket.write(chunk)
      return stream.ended
    })
    expect(stream.status).toBe(413)
  })

  test('of just the limit is read', async () => {
    const gateway = await startTestGateway()
    const empty = JSON.stringify({ query: '{ __typename } #' })
    const query = `{ __typename } #${'x'.repeat(256 * 1024 - empty.length)}`
    const answer = await RawStream.answer(gateway.graphql, aQuery(query))
    expect(answer.json).toEqual({ data: { __typename: 'Query' } })
  })

  test('that stops in the middle leaves nothing behind when its client goes', async () => {
    const gateway = await startTestGateway()
    const stream = await RawStream.write(
      gateway.graphql,
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"query":',
    )
    await stream.close()
    const answer = await RawStream.answer(gateway.graphql, aQuery('{ __typename }'))
    expect(answer.status).toBe(200)
  })
})

test('a client that reads nothing holds up nobody of its group, and is the only one to lag', async () => {
  const gateway = await startTestGateway()
  const query = 'subscription { ordersByRegion(region: EUROPE) { id city } }'
  const stalled = await RawStream.subscribe(gateway.graphql, query)
  const other = await RawStream.subscribe(gateway.graphql, query)
  stalled.socket.pause()
  const city = 'x'.repeat(100_000)
  let produced = 0
  await until('the stalled one lags', async () => {
    await gateway.produce(...Array.from({ length: 10 }, () => anOrder({ city })))
    produced += 10
    return (await gateway.metric('sluice_lagging_subscribers')) === 1
  })
  await until('the other has every order', () => other.received.split('event: next').length - 1 === produced)
  expect(await gateway.metric('sluice_subscribers')).toBe(2)
  stalled.socket.resume()
  await until('the stalled one has them too', () => stalled.received.split('event: next').length - 1 === produced)
  expect(stalled.results).toEqual(other.results)
})

test('a reset in the middle of a frame is a client that has left', async () => {
  const gateway = await startTestGateway()
  const query = 'subscription { ordersByRegion(region: EUROPE) { id city } }'
  const other = await RawStream.subscribe(gateway.graphql, query)
  const leaver = await RawStream.subscribe(gateway.graphql, query)
  await gateway.produce({ id: 'a', city: 'x'.repeat(400_000) })
  await until('some of the frame came', () => leaver.body.includes('event: next'))
  leaver.socket.resetAndDestroy()
  await untilAlone(gateway)
  await gateway.produce({ id: 'b' })
  expect(await other.untilResults(2)).toMatchObject([
    { data: { ordersByRegion: { id: 'a' } } },
    { data: { ordersByRegion: { id: 'b' } } },
  ])
})
