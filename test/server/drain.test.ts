import { expect, onTestFinished, test } from 'vitest'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import { anOrder, startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'

const STREAMS = 300
const DRAIN_MS = 6_000
const QUERY = 'subscription { ordersByRegion(region: EUROPE) { id city } }'

interface Client {
  readonly stream: RawStream
  /** When its stream ended, in milliseconds of the monotonic clock; 0: it has not. */
  endedAt: number
}

async function openClients(gateway: TestGateway, count: number): Promise<Client[]> {
  const clients: Client[] = []
  while (clients.length < count) {
    const more = Array.from({ length: Math.min(50, count - clients.length) }, async () => {
      const client = { stream: await RawStream.subscribe(gateway.graphql, QUERY), endedAt: 0 }
      client.stream.socket.once('end', () => {
        client.endedAt = performance.now()
      })
      return client
    })
    clients.push(...(await Promise.all(more)))
  }
  return clients
}

/** Produces orders of several kilobytes until it is told to stop. */
function produceOn(gateway: TestGateway): () => Promise<string[]> {
  const ids: string[] = []
  let running = true
  const done = (async () => {
    while (running) {
      const order = anOrder({ city: 'x'.repeat(4_000) })
      ids.push(order.id)
      await gateway.produce(order)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  return async () => {
    running = false
    await done
    return ids
  }
}

/** The most moments that lie within a second of each other. */
function mostInASecond(moments: readonly number[]): number {
  const sorted = [...moments].sort((a, b) => a - b)
  let most = 0
  for (let first = 0, last = 0; last < sorted.length; last++) {
    while ((sorted[last] as number) - (sorted[first] as number) >= 1000) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}

function histogram(what: string, moments: readonly number[], begin: number): string {
  const seconds: number[] = []
  for (const moment of moments) {
    const second = Math.floor((moment - begin) / 1000)
    seconds[second] = (seconds[second] ?? 0) + 1
  }
  return `${what} a second: ${Array.from(seconds, (count) => count ?? 0).join(' ')}`
}

const idsOf = (stream: RawStream) =>
  stream.results.map(({ data }) => (data as { ordersByRegion: { id: string } }).ordersByRegion.id)

test('streams end evenly over the drain, each behind a whole frame, with a retry and without complete', async () => {
  const gateway = await startTestGateway({ partitions: 1 })
  const clients = await openClients(gateway, STREAMS)
  const stopProducing = produceOn(gateway)
  await clients[0]?.stream.untilResults(5)

  const begin = performance.now()
  const closed = gateway.close(DRAIN_MS)
  await until('all streams have ended', () => clients.every(({ endedAt }) => endedAt > 0), DRAIN_MS + 20_000)
  const ids = await stopProducing()
  await closed

  const limit = (2 * STREAMS * 1000) / DRAIN_MS
  const ends = clients.map(({ endedAt }) => endedAt)
  const returns = clients.map(({ endedAt, stream }) => endedAt + Number(stream.blocks.at(-1)?.retry))
  console.log(histogram('ends', ends, begin))
  console.log(`${histogram('reconnects', returns, begin)}; at most ${limit} in any second are allowed`)
  expect(mostInASecond(ends)).toBeLessThanOrEqual(limit)
  expect(mostInASecond(returns)).toBeLessThanOrEqual(limit)
  expect(Math.max(...ends) - begin).toBeGreaterThan(0.9 * DRAIN_MS)
  expect(gateway.engine.stats.closes.shutdown).toBe(STREAMS)

  for (const { stream } of clients) {
    expect(stream.body.endsWith('\n\n')).toBe(true)
    expect(stream.blocks.at(-1)).toEqual({ retry: expect.stringMatching(/^\d+$/) })
    expect(stream.body).not.toContain('event: complete')
    const got = idsOf(stream)
    expect(got).toEqual(ids.slice(0, got.length))
  }
  // Those who were ended last were served until then.
  const counts = clients.map(({ stream }) => idsOf(stream).length)
  expect(Math.max(...counts)).toBeGreaterThan(Math.min(...counts) + 10)
})

test('nothing is lost or comes twice for clients that a drain sends to another instance', async () => {
  const log = createEmbeddedLog()
  log.createTopic('orders', 1)
  log.createTopic('region-sales', 1)
  onTestFinished(() => log.close())
  const embedded = { ...log, close: async () => {} }
  const first = await startTestGateway({ embedded })
  const second = await startTestGateway({ embedded })
  const clients = await openClients(first, 40)
  const stopProducing = produceOn(second)
  await clients[0]?.stream.untilResults(3)

  void first.close(2_000)
  const resumed = await Promise.all(
    clients.map(async ({ stream }) => {
      await stream.untilEnd()
      const id = stream.blocks.findLast((block) => block.id !== undefined)?.id as string
      return await RawStream.subscribe(second.graphql, QUERY, { headers: { 'last-event-id': id } })
    }),
  )
  const ids = await stopProducing()
  let before = 0
  for (const [index, client] of clients.entries()) {
    const had = idsOf(client.stream)
    before += had.length
    const rest = resumed[index] as RawStream
    await rest.untilResults(ids.length - had.length)
    expect([...had, ...idsOf(rest)]).toEqual(ids)
  }
  console.log(`${clients.length * ids.length} results: ${before} before the drain, the rest from another instance`)
})
