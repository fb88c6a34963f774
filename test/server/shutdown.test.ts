import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { anOrder, silentLog, startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { recordedLog } from '../kit/log-lines.ts'
import { RawStream, requestBytes } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'

const QUERY = 'subscription { ordersByRegion(region: EUROPE) { id city } }'
const STREAM = { accept: 'text/event-stream' }
const POST = { method: 'POST', headers: STREAM, body: { query: QUERY } }
const GET = { headers: STREAM, search: `?query=${encodeURIComponent(QUERY)}` }
/** Long enough that a test is over before a stream's turn comes by itself; `close()` ends what is left. */
const LONG_MS = 600_000

/** A gateway with so many open streams, and one that keeps it draining. */
async function drainingGateway(log = silentLog): Promise<TestGateway> {
  const gateway = await startTestGateway({ log })
  await stalledStream(gateway)
  return gateway
}

/** A stream whose socket is full: its client takes nothing. */
async function stalledStream(gateway: TestGateway): Promise<RawStream> {
  const stalled = await RawStream.subscribe(gateway.graphql, QUERY)
  stalled.socket.pause()
  const city = 'x'.repeat(100_000)
  await until('it lags', async () => {
    await gateway.produce(...Array.from({ length: 10 }, () => anOrder({ city })))
    return (await gateway.metric('sluice_lagging_subscribers')) === 1
  })
  return stalled
}

/** How a connect ends: `connected`, or the error's code. */
async function connecting(address: { path: string } | { host: string; port: number }): Promise<string | undefined> {
  const socket = connect(address)
  try {
    await once(socket, 'connect')
    return 'connected'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  } finally {
    socket.destroy()
  }
}

test('a gateway that is closing opens no more streams on connections that it has, and says that they are over', async () => {
  const { log, lines } = recordedLog()
  const gateway = await drainingGateway(log)
  const [byPost, byGet] = [await RawStream.write(gateway.graphql), await RawStream.write(gateway.graphql)]
  const closing = gateway.close()
  await until('it drains', () => lines.some(({ msg }) => msg === 'Draining'))
  byPost.socket.write(requestBytes(gateway.graphql, POST))
  byGet.socket.write(requestBytes(gateway.graphql, GET))
  await byPost.untilEnd()
  await byGet.untilEnd()
  expect(byPost.status).toBe(503)
  expect(Number(byPost.headers['retry-after'])).toBeGreaterThan(0)
  expect(byPost.json.errors).toEqual([{ message: 'The gateway is shutting down', extensions: { code: 'NOT_READY' } }])
  expect([byGet.status, byGet.body]).toEqual([200, expect.stringMatching(/^retry: [1-5]\d{3}\n\n$/)])
  for (const { headers } of [byPost, byGet]) expect(headers.connection).toBe('close')
  await closing
  expect(gateway.engine.subscribers).toBe(0)
})

test('who connected before the end is given a stream, which ends as all others', async () => {
  const gateway = await startTestGateway()
  const early = await RawStream.write(gateway.graphql)
  await gateway.metric('sluice_streams') // a round trip later it has been accepted
  const closing = gateway.close()
  early.socket.write(requestBytes(gateway.graphql, POST))
  await early.untilEnd()
  expect(early.status).toBe(200)
  expect(early.blocks.at(-1)).toEqual({ retry: expect.stringMatching(/^\d+$/) })
  await closing
})

test('connects are refused from the beginning of a drain', async () => {
  const gateway = await drainingGateway()
  const { hostname: host, port } = new URL(gateway.url)
  expect(await connecting({ host, port: Number(port) })).toBe('connected')
  void gateway.close(LONG_MS)
  await until('connects are refused', async () => (await connecting({ host, port: Number(port) })) === 'ECONNREFUSED')
  expect(gateway.engine.subscribers).toBe(1)
})

test('a unix socket is gone from the beginning of a drain, and what had connected before is answered', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'drain-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, 'gateway.sock')
  const gateway = await startTestGateway({ env: { LISTEN_SOCKET: path } })
  const stream = connect(path)
  onTestFinished(() => void stream.destroy())
  stream.write(requestBytes('http://gateway/graphql', POST))
  await once(stream, 'data')
  // In the same turn, so that none of them has been accepted when the drain begins.
  const early = Array.from({ length: 20 }, () => connect(path))
  const answers = early.map(async (socket) => {
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    socket.write(requestBytes('http://gateway/graphql', { method: 'POST', body: { query: '{ __typename }' } }))
    await once(socket, 'close')
    return text
  })
  void gateway.close(LONG_MS)
  await until('the path is gone', () => !existsSync(path))
  expect(await connecting({ path })).toBe('ENOENT')
  for (const answer of await Promise.all(answers)) {
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/)
    expect(answer).toContain('{"data":{"__typename":"Query"}}')
    expect(answer).toMatch(/connection: close/i)
  }
})

test('/readyz says at once that a gateway is leaving, and metrics are there until the end', async () => {
  const gateway = await drainingGateway()
  expect(await gateway.metric('sluice_draining')).toBe(0)
  void gateway.close(LONG_MS)
  const ready = await fetch(`${gateway.adminUrl}/readyz`)
  expect([ready.status, await ready.text()]).toEqual([503, 'not ready: The gateway is shutting down\n'])
  expect(await gateway.metric('sluice_ready')).toBe(0)
  expect(await gateway.metric('sluice_draining')).toBe(1)
  expect(await gateway.metric('sluice_streams')).toBe(1)
})

test('idle kept connections are closed at once, and a request under way is answered', async () => {
  const gateway = await drainingGateway()
  const query = { method: 'POST', body: { query: '{ __typename }' } }
  const idle = await RawStream.answer(gateway.graphql, query)
  expect(idle.headers.connection).toBe('keep-alive')
  // Its head has been read, and its body is still to come.
  const underWay = await RawStream.answer(gateway.graphql, query)
  underWay.received = ''
  const bytes = requestBytes(gateway.graphql, query)
  const half = bytes.length - 10
  underWay.socket.write(bytes.slice(0, half))
  await gateway.metric('sluice_streams') // a round trip later it has been read

  void gateway.close(LONG_MS)
  await idle.untilEnd()
  expect(underWay.ended).toBe(false)
  underWay.socket.write(bytes.slice(half))
  await underWay.untilEnd()
  expect(underWay.json).toEqual({ data: { __typename: 'Query' } })
})

test('a stream that takes no more bytes is cut 5 s after its turn, and the log counts it', async () => {
  const { log, lines } = recordedLog()
  const gateway = await startTestGateway({ log })
  await stalledStream(gateway)
  const quiet = await RawStream.subscribe(gateway.graphql, QUERY)
  const begin = performance.now()
  await gateway.close()
  const tookMs = performance.now() - begin
  expect(tookMs).toBeGreaterThan(4_900)
  expect(tookMs).toBeLessThan(15_000)
  await quiet.untilEnd()
  expect(quiet.blocks.at(-1)).toEqual({ retry: expect.stringMatching(/^\d+$/) })
  const said = lines.filter(({ msg }) => /^Drain/.test(msg))
  expect(said).toMatchObject([
    { msg: 'Draining', streams: 2, drainMs: 0 },
    { msg: 'Drained', streams: 2, cut: 1 },
  ])
})

test('a connection that never sends a request does not hold up the end', async () => {
  const gateway = await startTestGateway()
  const silent = await RawStream.write(gateway.graphql)
  await gateway.metric('sluice_streams')
  const begin = performance.now()
  await gateway.close()
  expect(performance.now() - begin).toBeLessThan(10_000)
  await silent.untilEnd()
})
