import type { DemoFeedOptions } from 'sluice'
import { orders } from '../streams/topics/orders.ts'
import { regionSales } from '../streams/topics/region-sales.ts'

/**
 * Generated orders, and the totals of all orders in the log, also of those that clients place. Loaded only where it is
 * wanted: the feed's cities take a third of a second, and memory.
 */
export async function demoFeed({ log: { source, sink }, rate, seed, signal }: DemoFeedOptions): Promise<void> {
  const [{ runFeed }, { salesFromLog }] = await Promise.all([import('./run-feed.ts'), import('./sales-from-log.ts')])
  await Promise.all([
    runFeed({ sink, rate, seed, signal }),
    salesFromLog({ source, sink, topic: orders.name, salesTopic: regionSales.name, signal }),
  ])
}
