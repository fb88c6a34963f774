import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { ownShares, shareOpenFiles } from '../../src/server/descriptors.ts'
import { listen } from '../../src/server/listen.ts'
import { metricIn } from '../kit/gateway.ts'
import { recordedLog } from '../kit/log-lines.ts'
import { listening, main } from '../kit/main-process.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'

const OPEN_FILES = 700
const IDLE = 900
const QUERY = 'subscription { ordersByRegion(region: EUROPE) { id } }'

interface Idle {
  readonly sockets: Socket[]
  /** How many the gateway has ended. */
  readonly ended: () => number
}

/** Connects that send nothing, each from the next of these addresses of this machine. */
function idleConnects(url: string, count: number, addresses: readonly string[]): Idle {
  const { hostname: host, port } = new URL(url)
  let ended = 0
  const sockets = Array.from({ length: count }, (_, i) => {
    const localAddress = addresses[i % addresses.length] as string
    const socket = connect({ host, port: Number(port), localAddress })
    socket.on('error', () => {}) // a reset is an end
    socket.on('data', () => {}) // so that the end is seen
    socket.on('close', () => ended++)
    return socket
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  return { sockets, ended: () => ended }
}

const countOf = (stream: RawStream) => stream.received.split('event: next').length
const ONE = ['127.0.0.1']
const MANY = Array.from({ length: 200 }, (_, i) => `127.0.0.${i + 2}`)

const onLinux = test.runIf(process.platform === 'linux')

onLinux.each([
  ['of one address', ONE],
  ['of many addresses', MANY],
  ['of one address, and as many on the admin port', ONE],
])(
  '900 idle connects %s at 700 open files: streams go on, the admin port answers, new clients get in',
  async (what, addresses) => {
    const run = main([], { DEMO_RATE: '200' }, { openFiles: OPEN_FILES })
    const { graphql, admin } = await listening(run)
    await until('it is ready', async () => (await fetch(`${admin}/readyz`)).ok)
    const metric = async (name: string, labels: Record<string, string> = {}) =>
      metricIn(await (await fetch(`${admin}/metrics`)).text(), name, labels)

    const streams = await Promise.all(Array.from({ length: 20 }, () => RawStream.subscribe(graphql, QUERY)))
    expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200))

    const idle = idleConnects(graphql, IDLE, addresses)
    if (what.includes('admin')) idleConnects(admin, IDLE, addresses)
    await until('the gateway has taken or ended them all', () => idle.sockets.every((socket) => !socket.connecting))
    // Longer than it takes until the process looks at its own limits.
    const before = streams.map(countOf)
    await until('open streams go on', () => streams.every((stream, i) => countOf(stream) > (before[i] ?? 0) + 300))

    expect((await fetch(`${admin}/livez`)).status).toBe(200)
    const newcomer = await RawStream.subscribe(graphql, QUERY)
    expect(newcomer.status).toBe(200)
    await newcomer.untilResults(3)
    const plain = await RawStream.answer(graphql, { method: 'POST', body: { query: '{ __typename }' } })
    expect(plain.status).toBe(200)

    const limit = await metric('sluice_connections_limit', { port: 'graphql' })
    expect(await metric('sluice_connections', { port: 'graphql' })).toBeLessThanOrEqual(limit)
    expect(await metric('process_open_fds')).toBeLessThan(OPEN_FILES)
    const reason = addresses.length === 1 ? 'address' : 'limit'
    expect(
      await metric('sluice_refused_connections_total', { port: 'graphql', reason, closed: 'idle' }),
    ).toBeGreaterThan(0)
    expect(await metric('sluice_streams')).toBe(21)

    await until('the idle ones have been ended', () => idle.ended() === IDLE, 30_000)
    await until('they are counted no more', async () => (await metric('sluice_connections', { port: 'graphql' })) < 5)
    for (const stream of streams) expect(stream.ended).toBe(false)
    expect([run.ended, run.err]).toEqual([undefined, ''])
    const again = await RawStream.subscribe(graphql, QUERY)
    await again.untilResults(1)
  },
)

test('the shares of any limit fit into it, streams come first, and each kind has some', () => {
  const seen = { asWanted: 0, fewerStreams: 0, fewerConnections: 0 }
  const some = fc.option(fc.integer({ min: 1, max: 1_000_000 }), { nil: undefined })
  const streamsWanted = fc.integer({ min: 1, max: 1_000_000 })
  const wanted = fc.record({ streams: streamsWanted, connections: some, connectionsPerAddress: some })
  const limits = fc.oneof(fc.integer({ min: 128, max: 3_000_000 }), fc.integer({ min: 128, max: 2_000 }))
  fc.assert(
    fc.property(limits, wanted, (openFiles, asked) => {
      const { streams, connections, connectionsPerAddress, admin, reserved } = shareOpenFiles(openFiles, asked)
      const { streams: mostStreams, connections: mostConnections = 4_096 } = asked
      expect(streams + connections + admin + reserved).toBeLessThanOrEqual(openFiles)
      expect(streams).toBeGreaterThanOrEqual(Math.min(mostStreams, Math.floor(openFiles / 4)))
      expect(streams).toBeLessThanOrEqual(mostStreams)
      expect(connections).toBeGreaterThanOrEqual(Math.min(mostConnections, 512, Math.floor(openFiles / 16)))
      expect(connections).toBeLessThanOrEqual(mostConnections)
      expect(connectionsPerAddress).toBeGreaterThanOrEqual(1)
      expect(connectionsPerAddress).toBeLessThanOrEqual(connections)
      expect(admin).toBeGreaterThanOrEqual(4)
      expect(reserved).toBeGreaterThanOrEqual(64)
      if (streams < mostStreams) seen.fewerStreams++
      else if (connections < mostConnections) seen.fewerConnections++
      else seen.asWanted++
    }),
    { numRuns: 5_000 },
  )
  console.log(seen)
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(50)
})

test.each([
  [700, { streams: 428, connections: 142, connectionsPerAddress: 71, admin: 43, reserved: 87 }],
  [20_000, { streams: 10_000, connections: 4_096, connectionsPerAddress: 2_048, admin: 64, reserved: 512 }],
  [1_000_000, { streams: 10_000, connections: 4_096, connectionsPerAddress: 2_048, admin: 64, reserved: 512 }],
  [Infinity, { streams: 10_000, connections: 4_096, connectionsPerAddress: 2_048, admin: 64, reserved: 512 }],
])('table, shares of %s open files with 10,000 streams', (openFiles, shares) => {
  expect(shareOpenFiles(openFiles, { streams: 10_000 })).toEqual(shares)
})

onLinux('what is more than the open files allow is lowered, and the log says so', () => {
  const { log, lines } = recordedLog()
  ownShares({ streams: 100, connections: 100 }, log)
  expect(lines).toEqual([])
  const { streams, connections } = ownShares({ streams: 1e9, connections: 1e9 }, log)
  const msg = (name: string) => `${name} is more than the open files of this process allow`
  expect(lines).toMatchObject([
    { level: 40, wanted: 1e9, possible: streams, msg: msg('MAX_STREAMS') },
    { level: 40, wanted: 1e9, possible: connections, msg: msg('MAX_CONNECTIONS') },
  ])
})

onLinux('streams that fill their share leave the admin port and plain requests theirs', async () => {
  const run = main([], { DEMO_RATE: '1', MAX_STREAMS: '100000' }, { openFiles: OPEN_FILES })
  const { graphql, admin } = await listening(run)
  await until('it is ready', async () => (await fetch(`${admin}/readyz`)).ok)
  const statuses: number[] = []
  for (let i = 0; i < 14; i++) {
    const some = await Promise.all(Array.from({ length: 50 }, () => RawStream.subscribe(graphql, QUERY)))
    statuses.push(...some.map(({ status }) => status))
  }
  const open = statuses.filter((status) => status === 200).length
  console.log(`${open} streams at ${OPEN_FILES} open files`)
  expect(open).toBeGreaterThan(OPEN_FILES / 2)
  expect(statuses.filter((status) => status === 503)).toHaveLength(statuses.length - open)
  const plain = await RawStream.answer(graphql, { method: 'POST', body: { query: '{ __typename }' } })
  expect(plain.status).toBe(200)
  const page = await (await fetch(`${admin}/metrics`)).text()
  expect(metricIn(page, 'sluice_streams', {})).toBe(open)
  expect(metricIn(page, 'process_open_fds', {})).toBeLessThan(OPEN_FILES)
})

test('a listener that cannot accept a connection tells it, and listens on', async () => {
  const server = createServer()
  onTestFinished(() => void server.close())
  const told: Error[] = []
  await listen(server, { host: '127.0.0.1', port: 0 }, (error) => told.push(error))
  const error = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' })
  server.emit('error', error)
  expect([told, server.listening]).toEqual([[error], true])
})
