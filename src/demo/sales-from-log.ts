import type { Batch, Reader, Sink, Source } from 'sluice'
import { OrderEvent } from '../streams/topics/orders.ts'
import { RegionTotals } from './region-totals.ts'
import { sleep } from './sleep.ts'

export interface SalesFromLogOptions {
  readonly source: Source
  readonly sink: Sink
  /** The topic of orders, which is read from its beginning. */
  readonly topic: string
  /** The compacted topic that gets the totals. */
  readonly salesTopic: string
  readonly signal: AbortSignal
}

/** Totals are sent this often: a person sees them move. */
const SALES_INTERVAL_MS = 1_000

/**
 * Totals of all orders in the embedded log, whoever has placed them, by region and minute, until `signal`. It is the log
 * of this process, so that its first order is the first there was.
 */
export async function salesFromLog({ source, sink, topic, salesTopic, signal }: SalesFromLogOptions): Promise<void> {
  const now = Date.now()
  const totals = new RegionTotals(now - (now % 60_000))
  const reader: Reader = {
    onBatch: ({ records }: Batch) => {
      for (const { value } of records) count(totals, value)
      return undefined
    },
    onGap: () => {},
    onState: () => {},
  }
  const ranges = await source.ranges(topic)
  const reading = source.read(topic, new Map(ranges.map(({ partition }) => [partition, 0])), reader, signal)
  while (!signal.aborted) {
    await sleep(SALES_INTERVAL_MS, signal)
    const records = totals.take(Date.now())
    if (records.length > 0) await sink.send(salesTopic, records)
  }
  await reading
}

/** What is no order, or has a currency without a rate, is not counted. */
function count(totals: RegionTotals, value: Buffer | null): void {
  try {
    totals.add(OrderEvent.parse(JSON.parse(String(value))))
  } catch {
    // It is the topic's reader who tells of records that are no events.
  }
}
