import type { Broker } from '../../deploy/kafka/broker.ts'
import { createOrderFeed } from '../../src/demo/orders-feed.ts'
import type { OrderEvent, REGIONS } from '../../src/streams/topics/orders.ts'

type Region = (typeof REGIONS)[number]

/** What Kafka's own consumer finds in the topic, in the order of each partition. */
export interface Logged {
  readonly partition: number
  readonly offset: number
  readonly order: OrderEvent
}

/** Different for any two events: an order comes once with each of its statuses. */
export const nameOf = ({ id, status }: Pick<OrderEvent, 'id' | 'status'>): string => `${id} ${status}`

/** This many orders of the demo feed, by a clock that goes 20 ms from one to the next, so that orders have a history. */
export function someOrders(count: number, seed: number): OrderEvent[] {
  const feed = createOrderFeed({ seed })
  const start = Date.now()
  return Array.from({ length: count }, (_, i) => feed.next(start + i * 20))
}

/** A line of Kafka's console producer: the key, a tab, the value. */
export const lineOf = (order: OrderEvent): string => `${order.merchantId}\t${JSON.stringify(order)}\n`

/**
 * Kafka's own console producer, which is idempotent: what it sends again after an outage, the broker takes once. It
 * sends the lines as they come, and tries for as long as `timeoutMs`.
 */
export async function produceByConsole(
  broker: Broker,
  lines: string | AsyncIterable<string>,
  timeoutMs = 60_000,
): Promise<void> {
  const { code, stdout, stderr } = await broker.run(
    'org.apache.kafka.tools.ConsoleProducer',
    [
      ...['--bootstrap-server', broker.brokers, '--topic', 'orders'],
      ...['--reader-property', 'parse.key=true'],
      // Its own defaults give up after three tries, of a second and a half each.
      ...['--message-send-max-retries', String(2 ** 31 - 1), '--request-timeout-ms', '5000'],
      ...['--command-property', 'enable.idempotence=true', '--command-property', 'acks=all'],
      // Tries the broker ten times a second, so that its records are there the moment that it is.
      ...['--command-property', 'reconnect.backoff.max.ms=100', '--command-property', 'retry.backoff.max.ms=100'],
      ...['--command-property', 'linger.ms=0', '--timeout', '0'],
    ],
    { stdin: lines, timeoutMs },
  )
  if (code !== 0 || /ERROR/.test(stderr)) throw new Error(`The console producer failed: ${stderr || stdout}`)
}

/** All records of the topic, by Kafka's own console consumer. */
export async function readByConsole(broker: Broker): Promise<Logged[]> {
  const where = ['--bootstrap-server', broker.brokers, '--topic', 'orders']
  const ends = await broker.run('org.apache.kafka.tools.GetOffsetShell', where)
  const total = ends.stdout
    .trim()
    .split('\n')
    .reduce((sum, line) => sum + Number(line.split(':')[2]), 0)
  const { stdout, stderr } = await broker.run('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...where,
    ...['--from-beginning', '--max-messages', String(total), '--timeout-ms', '30000'],
    ...['--formatter-property', 'print.partition=true', '--formatter-property', 'print.offset=true'],
  ])
  const records = stdout.split('\n').flatMap((line) => {
    const [, partition, offset, value] = /^Partition:(\d+)\tOffset:(\d+)\t(.+)$/.exec(line) ?? []
    if (value === undefined) return []
    return [{ partition: Number(partition), offset: Number(offset), order: JSON.parse(value) as OrderEvent }]
  })
  if (records.length !== total)
    throw new Error(`The console consumer found ${records.length} of ${total} records: ${stderr}`)
  return records
}

/** The names of a region's orders, a list for each partition, each in the partition's order. */
export function byPartition(log: readonly Logged[], region: Region): Map<number, string[]> {
  const lists = new Map<number, string[]>()
  for (const { partition, order } of log) {
    if (order.region === region) lists.set(partition, [...(lists.get(partition) ?? []), nameOf(order)])
  }
  return lists
}

/**
 * The same of what a client received, in the order in which it did. A name that is not in the log is put to partition
 * -1, so that the comparison shows it.
 */
export function receivedByPartition(log: readonly Logged[], names: readonly string[]): Map<number, string[]> {
  const partitions = new Map(log.map(({ partition, order }) => [nameOf(order), partition]))
  const lists = new Map<number, string[]>()
  for (const name of names) {
    const partition = partitions.get(name) ?? -1
    lists.set(partition, [...(lists.get(partition) ?? []), name])
  }
  return lists
}

/**
 * A last order for each region in each partition, as records for `TestKafka.produce`: once these have come to a client,
 * what should not come would have come before them.
 */
export function lastOrders(regions: readonly Region[], partitions: number) {
  const [order] = someOrders(1, 0)
  return regions.flatMap((region) =>
    Array.from({ length: partitions }, (_, partition) => ({
      partition,
      value: JSON.stringify({ ...order, region, id: `last-${region}-${partition}` }),
    })),
  )
}

export const isLast = (name: string): boolean => name.startsWith('last-')
