import { setTimeout as delay } from 'node:timers/promises'
import type { Broker } from '../../deploy/kafka/broker.ts'
import type { OrderEvent } from '../../src/streams/topics/orders.ts'
import { isLast, type Logged, lineOf, nameOf, produceByConsole, readByConsole, someOrders } from '../e2e/order-log.ts'
import type { RollingClient } from './rolling-clients.ts'

const BATCH_EVERY_MS = 20

export interface Load {
  /** Orders a second, by the clock: a late turn is made up for. */
  readonly rate: number
  /** At most; nobody needs more. */
  readonly seconds: number
}

/** Produces orders until it is stopped, through whatever happens to the broker. */
export function startLoad(broker: Broker, { rate, seconds }: Load) {
  const stopping = new AbortController()
  const orders = someOrders(rate * seconds, 5)
  const began = performance.now()
  let next = 0
  async function* lines() {
    while (!stopping.signal.aborted && next < orders.length) {
      const due = Math.min(orders.length, Math.ceil(((performance.now() - began) / 1000) * rate))
      if (due > next) yield orders.slice(next, due).map(lineOf).join('')
      next = Math.max(next, due)
      // Aborted: the loop's condition sees it.
      await delay(BATCH_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  const producing = produceByConsole(broker, lines(), seconds * 1000)
  producing.catch(() => {}) // awaited by `stop`: until then its failure is no unhandled one
  return {
    /** Resolves when Kafka has all of them, with what they were and how long it took. */
    async stop(): Promise<{ produced: OrderEvent[]; ms: number }> {
      stopping.abort()
      const ms = performance.now() - began
      if (next === orders.length) throw new Error('The load ended before it was stopped')
      await producing
      return { produced: orders.slice(0, next), ms }
    },
  }
}

/**
 * What came to the clients against what Kafka's own consumer finds in the log, offset by offset of each partition.
 * @throws Error if the log itself does not hold what was produced, each once.
 */
export async function compareWithLog(
  broker: Broker,
  produced: readonly OrderEvent[],
  clients: readonly RollingClient[],
): Promise<{ received: number; lost: number; twice: number; disordered: number; unknown: number }> {
  const log = await readByConsole(broker)
  const logged = log.map(({ order }) => nameOf(order)).filter((name) => !isLast(name))
  if (logged.sort().join() !== produced.map(nameOf).sort().join())
    throw new Error(`Kafka has ${logged.length} orders, ${produced.length} were produced`)
  const places = new Map<string, Logged>(log.map((record) => [nameOf(record.order), record]))
  const wanted = Map.groupBy(log, ({ order }) => order.region)
  const totals = { received: 0, lost: 0, twice: 0, disordered: 0, unknown: 0 }
  for (const { region, received } of clients) {
    const seen = new Set<string>()
    const newest = new Map<number, number>()
    for (const name of received) {
      totals.received++
      const { partition, offset, order } = places.get(name) ?? {}
      if (partition === undefined || offset === undefined || order?.region !== region) {
        totals.unknown++
        continue
      }
      if (seen.has(name)) totals.twice++
      else if (offset <= (newest.get(partition) ?? -1)) totals.disordered++
      newest.set(partition, Math.max(offset, newest.get(partition) ?? -1))
      seen.add(name)
    }
    totals.lost += (wanted.get(region)?.length ?? 0) - seen.size
  }
  return totals
}
