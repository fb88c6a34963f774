import { type OutgoingRecord, type Sink, SourceUnavailable } from 'sluice'
import { createOrderFeed } from './orders-feed.ts'
import { createPace } from './pace.ts'
import { RegionTotals } from './region-totals.ts'
import { sleep } from './sleep.ts'

export interface RunFeedOptions {
  readonly sink: Sink
  readonly topic?: string
  /** The compacted topic that gets the totals by region and minute; none, if absent. */
  readonly salesTopic?: string | undefined
  /** Events a second, from 0 (nothing is sent) up; fractions are fine. */
  readonly rate: number
  /** Stop after as many events; without it, only `signal` ends the feed. */
  readonly count?: number | undefined
  readonly seed: number
  readonly signal: AbortSignal
  /** At most this many events go out in one send. */
  readonly batch?: number
  /** After every send that the sink took: how many events it has taken so far. */
  readonly onSent?: (sent: number) => void
  /** After every send that failed: it is tried again in `retryInMs`. */
  readonly onRetry?: (error: SourceUnavailable, retryInMs: number) => void
}

/** About 250 KB, well under the 1 MB that a Kafka broker takes in one batch. */
const BATCH = 1000

/** Sends are at least this far apart: at 20,000 a second that is 200 events each, and little cost for the rest. */
const SEND_INTERVAL_MS = 10

/** Totals are sent this often: a person sees them move. */
const SALES_INTERVAL_MS = 1_000

/** Short enough that the feed resumes soon after the broker is back, without loading one that is down. */
const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 5000

/**
 * Sends demo orders to a topic, keyed by merchant, and their totals to another, until `count` or `signal` ends it. It holds one batch only: a slow
 * sink receives fewer orders, a failing one receives the same batch again. (A send that failed after the log had
 * appended it is therefore duplicated, as with any producer that is not idempotent.)
 * Resolves with the number of events that were sent. When aborted, it first awaits the pending send.
 * @throws RangeError for an invalid rate, count or batch, and every error of the sink except SourceUnavailable.
 */
export async function runFeed(options: RunFeedOptions): Promise<number> {
  const { topic = 'orders', salesTopic, rate, count = Number.POSITIVE_INFINITY, seed, signal, batch = BATCH } = options
  const { sink } = options
  if (!(rate >= 0 && rate < Number.POSITIVE_INFINITY)) throw new RangeError(`A rate is 0 or more a second, not ${rate}`)
  if (!(count >= 0)) throw new RangeError(`A count is 0 or more, not ${count}`)
  if (!(batch >= 1)) throw new RangeError(`A batch is 1 or more, not ${batch}`)
  if (rate === 0) return 0

  const feed = createOrderFeed({ seed })
  const pace = createPace(rate, performance.now())
  const totals = new RegionTotals(Date.now())
  let totalsAt = performance.now()
  let sent = 0

  while (sent < count && !signal.aborted) {
    const startedAt = performance.now()
    const size = Math.min(pace.due(startedAt), batch, count - sent)
    let waitMs = 0
    if (size > 0) {
      const orders = Array.from({ length: size }, () => feed.next(Date.now()))
      if (!(await sendUntilTaken(topic, orders.map(recordOf)))) break
      if (salesTopic !== undefined) for (const order of orders) totals.add(order)
      pace.sent(size)
      sent += size
      options.onSent?.(sent)
      if (salesTopic !== undefined && (sent >= count || startedAt - totalsAt >= SALES_INTERVAL_MS)) {
        totalsAt = startedAt
        if (!(await sendUntilTaken(salesTopic, totals.take(Date.now())))) break
      }
      if (sent >= count) break
      waitMs = startedAt + SEND_INTERVAL_MS - performance.now()
    }
    await sleep(Math.max(pace.msUntilDue(performance.now()), waitMs), signal)
  }
  return sent

  /** False: aborted before the sink took them. */
  async function sendUntilTaken(to: string, records: readonly OutgoingRecord[]): Promise<boolean> {
    for (let retryInMs = FIRST_RETRY_MS; !signal.aborted; retryInMs = Math.min(2 * retryInMs, LONGEST_RETRY_MS)) {
      try {
        await sink.send(to, records)
        return true
      } catch (error) {
        if (!(error instanceof SourceUnavailable)) throw error
        options.onRetry?.(error, retryInMs)
        await sleep(retryInMs, signal)
      }
    }
    return false
  }
}

function recordOf(order: { readonly merchantId: string }): OutgoingRecord {
  return { key: order.merchantId, value: JSON.stringify(order) }
}
