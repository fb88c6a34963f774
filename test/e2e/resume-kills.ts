import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'
import { REGIONS } from '../../src/streams/topics/orders.ts'
import { GatewayProcess, READY_MS } from '../kit/gateway-process.ts'
import { startOwnBroker } from '../kit/kafka.ts'
import { until } from '../kit/until.ts'
import {
  isLast,
  type Logged,
  lastOrders,
  lineOf,
  nameOf,
  produceByConsole,
  readByConsole,
  someOrders,
} from './order-log.ts'
import { ResumingListener } from './resume-client.ts'

export interface KillPlan {
  readonly clients: number
  /** How long orders are produced, at least; the broker is killed, and started again, in the middle of it. */
  readonly seconds: number
  /** Gateways that are killed, at least. */
  readonly kills: number
  /** From one kill of a gateway to the next, where it is ready again by then. */
  readonly killEveryMs: number
}

const PARTITIONS = 6
const GATEWAYS = ['g0', 'g1']
/** A batch in this time: 500 orders a second. */
const BATCH = 10
const BATCH_EVERY_MS = 20
const BROKER_DOWN_MS = 2_000

/**
 * Kills gateways (-9), one after the other, and the broker once, while a producer never stops and clients go from one
 * gateway to the other. Expects each client to have got each order of its region once, in the order of offsets, by what
 * Kafka's own consumer finds in the log.
 */
export async function surviveGatewayKills({ clients: count, seconds, killEveryMs, ...plan }: KillPlan): Promise<void> {
  const { broker, kafka, stop } = await startOwnBroker()
  onTestFinished(stop)
  await kafka.createTopicNamed('orders', PARTITIONS)
  const gateways = await GatewayProcess.create(GATEWAYS, { KAFKA_BROKERS: broker.brokers })
  onTestFinished(() => Promise.all(gateways.map((gateway) => gateway.kill())).then(() => {}))
  for (const gateway of gateways) gateway.start()
  for (const gateway of gateways) await gateway.untilReady()

  const urls = gateways.map(({ url }) => url)
  const clients = Array.from(
    { length: count },
    (_, i) => new ResumingListener(urls, REGIONS[i % REGIONS.length] as (typeof REGIONS)[number], i % GATEWAYS.length),
  )
  onTestFinished(() => {
    for (const client of clients) client.close()
  })
  await until('all clients have begun', () => clients.every(({ hasBegun }) => hasBegun), READY_MS)

  const load = produceUntilStopped(seconds)
  const producing = produceByConsole(broker, load.lines, (seconds + 120) * 1000)
  producing.catch(() => {}) // awaited below: until then its failure is no unhandled one
  const end = performance.now() + seconds * 1000
  const middle = end - (seconds * 1000) / 2
  let [kills, brokerKills] = [0, 0]
  const readyMs: number[] = []
  while (kills < plan.kills || performance.now() < end - killEveryMs / 2) {
    await delay(killEveryMs)
    const gateway = gateways[kills % GATEWAYS.length] as GatewayProcess
    await gateway.kill()
    kills++
    gateway.start()
    const started = performance.now()
    if (brokerKills === 0 && (performance.now() > middle || kills === plan.kills)) {
      brokerKills++
      await broker.kill()
      await delay(BROKER_DOWN_MS)
      await broker.restart()
    }
    await gateway.untilReady()
    readyMs.push(performance.now() - started)
  }
  const produced = load.stop()
  const producedMs = performance.now() - load.began
  await producing
  await kafka.produce('orders', lastOrders(REGIONS, PARTITIONS))
  const isDone = ({ received }: ResumingListener) => received.slice(-PARTITIONS * 4).filter(isLast).length >= PARTITIONS
  await until('the last orders came', () => clients.every(isDone), READY_MS).catch(() => {}) // the counts below say it

  const log = await readByConsole(broker)
  // The producer is idempotent: nothing of what it sent again may be in the log twice.
  const logged = log.map(({ order }) => nameOf(order)).filter((name) => !isLast(name))
  expect(logged.sort()).toEqual(produced.map(nameOf).sort())
  const totals = compare(log, clients)
  const sum = (of: (client: ResumingListener) => number) => clients.reduce((total, client) => total + of(client), 0)
  const [opened, moved, refused] = [sum((c) => c.opened), sum((c) => c.moved), sum((c) => c.refused)]
  const inSeconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  const away = Math.max(...clients.map(({ longestAwayMs }) => longestAwayMs))
  console.log(
    `${produced.length} orders in ${inSeconds(producedMs)} to ${count} clients: ` +
      `${totals.received} received, ${totals.lost} lost, ${totals.twice} twice, ${totals.disordered} out of order; ` +
      `${kills} gateways killed, the broker ${brokerKills} times; ${opened} streams opened, ${moved} of them at ` +
      `another gateway, ${refused} refused; longest away ${inSeconds(away)}; ready after ${readyMs.map(inSeconds).join(', ')}`,
  )
  expect(totals).toMatchObject({ lost: 0, twice: 0, disordered: 0, unknown: 0 })
  expect(clients.flatMap(({ errors }) => errors)).toEqual([])
  expect(kills).toBeGreaterThanOrEqual(plan.kills)
  expect(brokerKills).toBe(1)
  expect(moved).toBeGreaterThan(count)
}

/** What the clients received, by offsets, against the log. */
function compare(log: readonly Logged[], clients: readonly ResumingListener[]) {
  const places = new Map(log.map((logged) => [nameOf(logged.order), logged]))
  const totals = { received: 0, lost: 0, twice: 0, disordered: 0, unknown: 0 }
  for (const { region, received } of clients) {
    const wanted = log.filter(({ order }) => order.region === region).length
    const seen = new Set<string>()
    const newest = new Map<number, number>()
    for (const name of received) {
      const { partition = -1, offset = 0, order } = places.get(name) ?? {}
      totals.received++
      if (order?.region !== region) totals.unknown++
      else if (seen.has(name)) totals.twice++
      else if (offset <= (newest.get(partition) ?? -1)) totals.disordered++
      newest.set(partition, offset)
      seen.add(name)
    }
    totals.lost += wanted - seen.size
  }
  return totals
}

/** A load at an even pace, in the lines of the console producer: by the clock, so that a late turn is made up for. */
function produceUntilStopped(seconds: number) {
  const stopping = new AbortController()
  // More, should the end be late.
  const orders = someOrders(((seconds + 120) * 1000 * BATCH) / BATCH_EVERY_MS, 3)
  const began = performance.now()
  let next = 0
  async function* lines() {
    while (!stopping.signal.aborted && next < orders.length) {
      const due = Math.min(orders.length, Math.ceil((performance.now() - began) / BATCH_EVERY_MS) * BATCH)
      if (due > next) yield orders.slice(next, due).map(lineOf).join('')
      next = Math.max(next, due)
      // Aborted: the loop's condition sees it.
      await delay(BATCH_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  return {
    began,
    lines: lines(),
    /** What was produced. */
    stop() {
      stopping.abort()
      return orders.slice(0, next)
    },
  }
}
