import dns from 'node:dns'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { parseAddress, textOf } from '../../../../src/streams/source/kafka/address.ts'
import { createKafka } from '../../../../src/streams/source/kafka/kafka.ts'
import { ModelCluster } from '../../../kit/model-cluster.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  for (const close of closing.splice(0).reverse()) await close()
})

async function clusterWithTopic(): Promise<ModelCluster> {
  const cluster = await ModelCluster.start(1)
  closing.push(() => cluster.stop())
  cluster.create('there', 1)
  cluster.append('there', 0, 'a')
  return cluster
}

/** The topic's ranges by these seeds. */
async function rangesBy(...brokers: string[]) {
  const log = createKafka({ brokers, clientId: 'address', log: () => {} })
  closing.push(() => log.close())
  return log.source.ranges('there')
}
const RANGES = [{ partition: 0, earliest: 0, next: 1 }]

/** Passes connections on `::1` on to a port of 127.0.0.1. Its port. */
async function onIpv6(port: number): Promise<number> {
  const server = createServer((client) => {
    const broker = connect(port, '127.0.0.1')
    client.pipe(broker).pipe(client)
    client.on('error', () => broker.destroy())
    broker.on('error', () => client.destroy())
  })
  server.listen(0, '::1')
  await once(server, 'listening')
  closing.push(async () => {
    server.close()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port
}

test('an address is a name or IPv4 with a port, or IPv6 in brackets; the port is 9092 if absent', () => {
  const addresses = {
    'kafka.example': ['kafka.example', 9092],
    'kafka-1:19092': ['kafka-1', 19092],
    ' 10.0.0.1:9093 ': ['10.0.0.1', 9093],
    '[::1]': ['::1', 9092],
    '[2001:db8::1]:9092': ['2001:db8::1', 9092],
    '[::ffff:10.0.0.1]:65535': ['::ffff:10.0.0.1', 65535],
  } as const
  for (const [text, [host, port]] of Object.entries(addresses)) expect(parseAddress(text)).toEqual({ host, port })
  for (const text of [
    '',
    ':9092',
    'a:0',
    'a:65536',
    'a:99999',
    '::1',
    '[::1',
    '::1]:1',
    'a:b',
    'a b',
    'a:1:2',
    'a/b:1',
  ])
    expect(parseAddress(text), text).toBeUndefined()
})

test('an address is read again as it was written', () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain())
  fc.assert(
    fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, port) => {
      expect(parseAddress(textOf({ host: name, port }))).toEqual({ host: name, port })
    }),
  )
})

test('a seed may be an IPv6 address', async () => {
  const cluster = await clusterWithTopic()
  const port = await onIpv6(cluster.nodes[0]?.port as number)
  expect(await rangesBy(`[::1]:${port}`)).toEqual(RANGES)
})

test('of a name with several addresses each is tried, until one accepts', async () => {
  const cluster = await clusterWithTopic()
  const addresses = [
    { address: '::1', family: 6 },
    { address: '127.0.0.2', family: 4 },
    { address: '127.0.0.1', family: 4 },
  ]
  type Found = (error: null, all: typeof addresses) => void
  const all = (_name: string, _options: object, found: Found) => queueMicrotask(() => found(null, addresses))
  const asked = vi.spyOn(dns, 'lookup').mockImplementation(all as unknown as typeof dns.lookup)
  expect(await rangesBy(`kafka.test:${cluster.nodes[0]?.port}`)).toEqual(RANGES)
  expect(asked.mock.calls.some(([name]) => name === 'kafka.test')).toBe(true)
})

test('another version of kafkajs is refused, by the version that is needed and the one that is there', async () => {
  vi.resetModules()
  vi.doMock('node:module', () => ({ createRequire: () => () => ({ version: '2.3.0' }) }))
  closing.push(async () => vi.doUnmock('node:module'))
  const { createKafka: create } = await import('../../../../src/streams/source/kafka/kafka.ts')
  expect(() => create({ brokers: ['127.0.0.1:1'], clientId: 'other', log: () => {} })).toThrow(
    'Sluice needs kafkajs 2.2.4, and 2.3.0 is installed: install that version beside it',
  )
})
