import { expect, onTestFinished, test } from 'vitest'
import { TIMEOUTS, type Timeouts } from '../../src/server/timeouts.ts'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { recordedLog } from '../kit/log-lines.ts'
import { RawStream, requestBytes } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'
import { SingleClient } from '../transport/single/client.ts'

const FAST = {
  headersTimeout: 400,
  requestTimeout: 1_000,
  connectionsCheckingInterval: 50,
  keepAliveTimeout: 500,
} satisfies Timeouts
/** For the look that ends it, the linger, and a busy machine. */
const SLACK_MS = 2_500
const DRIP_MS = 20
const JSON_TYPE = { 'content-type': 'application/json' }
const STREAM = { accept: 'text/event-stream' }

/** Writes a byte a moment to this connection, until it has ended. */
function drip(stream: RawStream, byte = 'x'): void {
  const timer = setInterval(() => stream.socket.writable && stream.socket.write(byte), DRIP_MS)
  onTestFinished(() => clearInterval(timer))
}

/** How long it took until the server ended it, from now on. */
async function untilEnded(stream: RawStream): Promise<number> {
  const begin = performance.now()
  await stream.untilEnd()
  return performance.now() - begin
}

const DRIPS: Record<string, string> = { '': '\n', '\r\n': '\r\n' }

const headOf = (gateway: TestGateway, method: string, headers: Record<string, string> = {}) =>
  requestBytes(gateway.graphql, { method, headers: { ...JSON_TYPE, 'content-length': '100000', ...headers } })

test('a request has 15 s for its head and 30 s in all, to within a second', () => {
  expect(TIMEOUTS).toEqual({
    headersTimeout: 15_000,
    requestTimeout: 30_000,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: 5_000,
  })
})

test.each([
  ['of nothing', ''],
  ['of line ends in front of it', '\r\n'],
  ['that stops in its first line', 'GET /gr'],
  ['that stops in a header', 'GET /graphql HTTP/1.1\r\nhost: x\r\na: b'],
])('a head %s, which then comes a byte a moment, ends with 408; on the admin port as well', async (_what, begin) => {
  const gateway = await startTestGateway({ timeouts: FAST })
  for (const url of [gateway.url, gateway.adminUrl]) {
    const still = await RawStream.write(url, begin)
    const dripping = await RawStream.write(url, begin)
    drip(dripping, DRIPS[begin])
    for (const stream of [still, dripping]) {
      expect(await untilEnded(stream)).toBeLessThan(FAST.headersTimeout + SLACK_MS)
      expect([stream.status, stream.headers.connection]).toEqual([408, 'close'])
    }
  }
})

test('the head of a later request on a kept connection has no longer', async () => {
  const gateway = await startTestGateway({ timeouts: { ...FAST, keepAliveTimeout: 60_000 } })
  const first = { method: 'POST', body: { query: '{ __typename }' } }
  const stream = await RawStream.answer(gateway.graphql, first)
  expect(stream.headers.connection).toBe('keep-alive')
  stream.received = ''
  stream.socket.write('POST /graphql HTTP/1.1\r\nhost: x\r\na: ')
  drip(stream)
  expect(await untilEnded(stream)).toBeLessThan(FAST.headersTimeout + SLACK_MS)
  expect(stream.status).toBe(408)
})

test.each([
  ['nothing', ''],
  ['line ends', '\r\n'],
])('a kept connection on which %s comes is closed', async (_what, bytes) => {
  const gateway = await startTestGateway({ timeouts: FAST })
  const stream = await RawStream.answer(gateway.graphql, { method: 'POST', body: { query: '{ __typename }' } })
  if (bytes !== '') drip(stream, bytes)
  expect(await untilEnded(stream)).toBeLessThan(FAST.keepAliveTimeout + FAST.headersTimeout + SLACK_MS)
})

test.each([
  ['for JSON', { accept: 'application/json' }],
  ['for an event stream', STREAM],
  ['in chunks', { 'transfer-encoding': 'chunked' }],
])('a POST %s whose body drips is answered 408 with a code, and its connection closed', async (_what, headers) => {
  const { log, lines } = recordedLog()
  const gateway = await startTestGateway({ timeouts: FAST, log })
  const head = headOf(gateway, 'POST', headers)
  const isChunked = 'transfer-encoding' in headers
  const stream = await RawStream.write(gateway.graphql, isChunked ? head.replace(/content-length.*\r\n/, '') : head)
  drip(stream, isChunked ? '1\r\nx\r\n' : 'x')
  const tookMs = await untilEnded(stream)
  expect(tookMs).toBeGreaterThan(FAST.requestTimeout - FAST.connectionsCheckingInterval)
  expect(tookMs).toBeLessThan(FAST.requestTimeout + SLACK_MS)
  expect([stream.status, stream.headers.connection]).toEqual([408, 'close'])
  expect(stream.headers['x-request-id']).toBeDefined()
  expect(stream.json.errors[0].extensions.code).toBe('REQUEST_TIMEOUT')
  expect(lines.filter(({ level }) => level >= 40)).toEqual([])
  expect(await gateway.metric('sluice_connections', { port: 'graphql' })).toBe(0)
})

test('an operation in single connection mode whose body drips is answered 408, and its stream goes on', async () => {
  const gateway = await startTestGateway({ timeouts: FAST })
  const client = await SingleClient.open(gateway.graphql)
  const stream = await RawStream.write(
    gateway.graphql,
    headOf(gateway, 'POST', { 'x-graphql-event-stream-token': client.token }),
  )
  drip(stream)
  expect(await untilEnded(stream)).toBeLessThan(FAST.requestTimeout + SLACK_MS)
  expect([stream.status, stream.json.errors[0].extensions.code]).toEqual([408, 'REQUEST_TIMEOUT'])
  expect(client.stream.ended).toBe(false)
  expect(await gateway.metric('sluice_single_streams')).toBe(1)
})

test.each(['GET', 'PUT', 'DELETE', 'PATCH'])('a %s with a body that drips ends in the same time', async (method) => {
  const { log, lines } = recordedLog()
  const gateway = await startTestGateway({ timeouts: FAST, log })
  const stream = await RawStream.write(gateway.graphql, headOf(gateway, method))
  drip(stream)
  expect(await untilEnded(stream)).toBeLessThan(FAST.requestTimeout + SLACK_MS)
  expect(lines.filter(({ level }) => level >= 40)).toEqual([])
})

test('a body that drips behind a request that is being answered is cut, with no answer inside the other', async () => {
  const gateway = await startTestGateway({ timeouts: FAST })
  const subscribe = requestBytes(gateway.graphql, {
    method: 'POST',
    headers: STREAM,
    body: { query: 'subscription { ordersByRegion(region: EUROPE) { id } }' },
  })
  const stream = await RawStream.write(gateway.graphql, subscribe + headOf(gateway, 'POST'))
  drip(stream)
  expect(await untilEnded(stream)).toBeLessThan(FAST.requestTimeout + SLACK_MS)
  expect(stream.received).not.toContain('408')
})

test('a stream, and a body that comes in time, are not ended', async () => {
  const gateway = await startTestGateway({ timeouts: FAST })
  const query = 'subscription { ordersByRegion(region: EUROPE) { id } }'
  const open = await RawStream.subscribe(gateway.graphql, query)
  const bytes = requestBytes(gateway.graphql, { method: 'POST', body: { query: '{ __typename }' } })
  for (let round = 0; round < 4; round++) {
    const slow = await RawStream.write(gateway.graphql, bytes.slice(0, -10))
    const later = setTimeout(() => slow.socket.write(bytes.slice(-10)), FAST.requestTimeout / 2)
    onTestFinished(() => clearTimeout(later))
    await slow.untilWhole()
    expect(slow.status).toBe(200)
  }
  await gateway.produce({ id: 'a' })
  expect(await open.untilResults(1)).toEqual([{ data: { ordersByRegion: { id: 'a' } } }])
})

test('a refused client that does not close its side holds no connection', async () => {
  const gateway = await startTestGateway()
  const stream = await RawStream.write(gateway.url)
  stream.socket.removeAllListeners('end')
  stream.socket.write('\u0000 garbage\r\n\r\n')
  await until('it was answered', () => stream.status === 400)
  await until('its connection is gone', async () => {
    return (await gateway.metric('sluice_connections', { port: 'graphql' })) === 0
  })
})
