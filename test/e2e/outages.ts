import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { startOwnBroker } from '../kit/kafka.ts'
import { recordedLog } from '../kit/log-lines.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'
import { eventSourceClient, graphqlSseClient } from './order-clients.ts'
import {
  byPartition,
  isLast,
  lastOrders,
  lineOf,
  nameOf,
  produceByConsole,
  readByConsole,
  receivedByPartition,
  someOrders,
} from './order-log.ts'

const PARTITIONS = 6
const HEARTBEAT_MS = 200
/** What a producer gives to Kafka, up or down: a batch in this time. */
const BATCH = 10
const BATCH_EVERY_MS = 20
/** How long the broker stays down, counted in what clients hear meanwhile. */
const HEARTBEATS_DOWN = 15
/** Orders that come before the first kill, between two, and after the last. */
const ORDERS_BETWEEN = 1_000

/**
 * Kills the broker (-9) `kills` times and starts it again, while a producer never stops to produce and three clients
 * listen; expects all of what the log then holds to have reached them, in order, once, on the streams they had.
 */
export async function surviveKills(kills: number): Promise<void> {
  const { broker, kafka, stop } = await startOwnBroker()
  onTestFinished(stop)
  await kafka.createTopicNamed('orders', PARTITIONS)
  await kafka.createTopicNamed('region-sales', 1)
  const env = { KAFKA_BROKERS: broker.brokers, HEARTBEAT_MS: String(HEARTBEAT_MS) }
  const { log: logger, lines } = recordedLog()
  const gateway = await startTestGateway({ env, log: logger })
  const readyz = async () => (await fetch(`${gateway.adminUrl}/readyz`)).text()
  await until('the gateway is ready', async () => (await readyz()) === 'ready\n')

  const clients = [
    graphqlSseClient(gateway.graphql, 'ASIA'),
    graphqlSseClient(gateway.graphql, 'EUROPE'),
    eventSourceClient(gateway.graphql, 'AFRICA'),
  ]
  const raw = await RawStream.subscribe(gateway.graphql, 'subscription { ordersByRegion(region: OCEANIA) { id } }')
  const heartbeats = () => raw.blocks.filter(({ event, id }) => event === undefined && id !== undefined).length
  await until('all streams are open', () => gateway.engine.subscribers === clients.length + 1)

  const load = produceUntilStopped()
  const producing = produceByConsole(broker, load.lines, 300_000)
  producing.catch(() => {}) // awaited below: until then its failure is no unhandled one
  const received = () => clients.reduce((sum, client) => sum + client.received.length, 0)
  const more = (since: number) => until('more orders came', () => received() >= since + ORDERS_BETWEEN, 60_000)

  const outages: Outage[] = []
  for (let kill = 0; kill < kills; kill++) {
    await more(received())
    await broker.kill()
    const down = performance.now()
    await until('/readyz says why', async () => (await readyz()) !== 'ready\n')
    const reason = await readyz()
    const beats = heartbeats()
    await until('heartbeats came', () => heartbeats() >= beats + HEARTBEATS_DOWN)
    const refused = await RawStream.subscribe(gateway.graphql, 'subscription { ordersByRegion(region: ASIA) { id } }')

    await broker.restart()
    const before = received()
    const back = performance.now()
    await until('the first order came', () => received() > before, 60_000)
    const firstMs = performance.now() - back
    await until('the gateway is ready again', async () => (await readyz()) === 'ready\n')
    outages.push({ downMs: back - down, firstMs, readyMs: performance.now() - back, reason })
    expect(refused.status).toBe(503)
  }
  await more(received())
  const produced = load.stop()
  await producing

  const regions = clients.map(({ region }) => region)
  await kafka.produce('orders', lastOrders(regions, PARTITIONS))
  const ended = () => clients.every(({ received }) => received.filter(isLast).length >= PARTITIONS)
  await until('the last orders came', ended, 30_000)

  const log = await readByConsole(broker)
  // The producer is idempotent: nothing of what it sent again may be in the log twice.
  const logged = log.map(({ order }) => nameOf(order)).filter((name) => !isLast(name))
  expect(logged.sort()).toEqual(produced.map(nameOf).sort())
  for (const client of clients) {
    expect(receivedByPartition(log, client.received)).toEqual(byPartition(log, client.region))
    expect(client.errors).toEqual([])
    expect(client.connections()).toBe(1)
  }
  for (const { reason } of outages) expect(reason).toMatch(/^not ready: .*ECONN/)
  const lost = lines.filter(
    ({ msg, reason }) => msg === 'Not reading' && String(reason).startsWith('Kafka has answered'),
  )
  expect(lost.length).toBeGreaterThanOrEqual(kills)
  for (const { topic } of lost) expect(['orders', 'region-sales']).toContain(topic)
  report(produced.length, clients, outages)
}

interface Outage {
  readonly downMs: number
  /** From the broker's first answer to the first order on a stream, and to /readyz. */
  readonly firstMs: number
  readonly readyMs: number
  readonly reason: string
}

function report(produced: number, clients: { region: string; received: string[] }[], outages: Outage[]): void {
  const counts = clients.map(({ region, received }) => `${received.length - PARTITIONS} of ${region}`)
  console.log(`${produced} orders produced; received: ${counts.join(', ')}`)
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`
  for (const { downMs, firstMs, readyMs, reason } of outages) {
    const recovery = `first order ${seconds(firstMs)} after the broker answered, ready after ${seconds(readyMs)}`
    console.log(`down ${seconds(downMs)}; ${recovery}; ${reason.trim()}`)
  }
}

/** An endless load at an even pace, in the lines of the console producer. */
function produceUntilStopped() {
  const stopping = new AbortController()
  const orders = someOrders(60_000, 3)
  let next = 0
  async function* lines() {
    while (!stopping.signal.aborted && next < orders.length) {
      yield orders
        .slice(next, next + BATCH)
        .map(lineOf)
        .join('')
      next = Math.min(orders.length, next + BATCH)
      // Aborted: the loop's condition sees it.
      await delay(BATCH_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  return {
    lines: lines(),
    /** What was produced. */
    stop() {
      stopping.abort()
      return orders.slice(0, next)
    },
  }
}
