import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { EventRecord, StreamItem } from '../../../src/streams/event.ts'
import type { EventIterator } from '../../../src/streams/feed/event-iterator.ts'
import { createEmbeddedLog } from '../../../src/streams/source/embedded/embedded.ts'
import type { OutgoingRecord } from '../../../src/streams/source/port.ts'
import { Streams } from '../../../src/streams/streams.ts'
import { defineTopic, type Topic } from '../../../src/streams/topic/topic.ts'
import { silentLog } from '../../kit/log-lines.ts'
import { Statistics } from '../../kit/statistics.ts'
import { until } from '../../kit/until.ts'

/**
 * Topics by each kind of index and of tombstones, over records of every kind. The law: what reaches a subscriber, live,
 * late, from the window or from the log, is what a plain scan of the records says; and every record is counted once, as
 * an event, a tombstone or a failure.
 */
const PARTITIONS = 2

const Stock = z.object({
  color: z.string(),
  merchant: z.object({ id: z.string() }).nullable(),
  gone: z.boolean().default(false),
})
type Stock = z.output<typeof Stock>
/** A draft of a value from a tombstone, or what no schema takes. */
type Made = z.input<typeof Stock>

const FUNCTIONS = {
  color: ({ color }: Stock) => color,
  /** Fails for events without a merchant. */
  merchant: ({ merchant }: Stock) => (merchant as NonNullable<Stock['merchant']>).id,
  key: (_value: Stock, { key }: EventRecord) => key,
  source: (_value: Stock, { headers }: EventRecord) => headers.source,
  place: ({ gone }: Stock, { partition, offset }: EventRecord) => !gone && (partition + offset) % 2 === 0,
}
const TOMBSTONES = {
  skip: 'skip',
  events: ({ key }: EventRecord): Made => ({ color: 'none', merchant: key === null ? null : { id: key }, gone: true }),
  /** Throws without a key, and makes what the schema refuses of one key. */
  sometimes({ key }: EventRecord): Made {
    if (key === null) throw new Error('Whose?')
    return key === 'a' ? ({ color: 7 } as never) : { color: 'none', merchant: null, gone: true }
  },
} as const

const record = fc.record({
  partition: fc.nat(PARTITIONS - 1),
  key: fc.constantFrom('a', 'b', null),
  source: fc.constantFrom('till', undefined),
  body: fc.oneof(
    { weight: 2, arbitrary: fc.constant('tombstone' as const) },
    { weight: 1, arbitrary: fc.constant('poison' as const) },
    {
      weight: 5,
      arbitrary: fc.record({ color: fc.constantFrom('red', 'blue'), id: fc.constantFrom('m_1', 'm_2', null) }),
    },
  ),
})
type ARecord = typeof record extends fc.Arbitrary<infer R> ? R : never

function wanted<T>(...values: T[]) {
  const value = fc.constantFrom(...values)
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: value },
    { weight: 1, arbitrary: fc.record({ in: fc.array(value, { maxLength: 3 }) }) },
  )
}
const where = fc.record({
  color: wanted('red', 'blue', 'none'),
  merchant: wanted<string | undefined>('m_1', 'm_2', 'a', undefined),
  key: wanted('a', 'b', null),
  source: wanted('till', undefined),
  place: wanted(true, false),
})
const FILTERS = {
  none: undefined,
  'of the record': (_value: Stock, { key, partition }: EventRecord) => key !== 'a' || partition === 1,
  'of both': ({ gone }: Stock, { headers }: EventRecord) => gone || headers.source === 'till',
}
const subscriber = fc.record({
  where,
  filter: fc.constantFrom<keyof typeof FILTERS>('none', 'none', 'of the record', 'of both'),
  reads: fc.constantFrom<'live' | 'behind' | 'late'>('live', 'behind', 'late'),
})
type Asked = typeof subscriber extends fc.Arbitrary<infer S> ? S : never

/** A record as the model has it: its event, or what else it is. */
interface Scanned extends EventRecord {
  readonly value: Stock | 'skipped' | 'failure'
}

function scan(records: readonly ARecord[], tombstones: keyof typeof TOMBSTONES): Scanned[] {
  const next = new Array<number>(PARTITIONS).fill(0)
  return records.map(({ partition, key, source, body }) => {
    const offset = next[partition] as number
    next[partition] = offset + 1
    const headers: Record<string, string> = source === undefined ? {} : { source }
    const place = { partition, offset, timestamp: 0, key, headers }
    if (body === 'poison') return { ...place, value: 'failure' }
    if (body !== 'tombstone') {
      const value = { color: body.color, merchant: body.id === null ? null : { id: body.id }, gone: false }
      return { ...place, value }
    }
    if (tombstones === 'skip') return { ...place, value: 'skipped' }
    if (tombstones === 'events') {
      return { ...place, value: { color: 'none', merchant: key === null ? null : { id: key }, gone: true } }
    }
    return { ...place, value: key === 'b' ? { color: 'none', merchant: null, gone: true } : 'failure' }
  })
}

/** By a condition alone, as a reader of the documentation would say it. */
function isWanted(condition: unknown, value: unknown): boolean {
  if (condition === undefined) return true
  const list = typeof condition === 'object' && condition !== null ? (condition as { in: unknown[] }).in : [condition]
  return list.includes(value)
}

function selects({ where, filter }: Asked, record: Scanned, value: Stock): boolean {
  const { merchant } = value
  return (
    isWanted(where.color, value.color) &&
    // Without a merchant its function fails: no condition on it is met, but none asked.
    (where.merchant === undefined || (merchant !== null && isWanted(where.merchant, merchant.id))) &&
    isWanted(where.key, record.key) &&
    isWanted(where.source, record.headers.source) &&
    isWanted(where.place, !value.gone && (record.partition + record.offset) % 2 === 0) &&
    (FILTERS[filter]?.(value, record) ?? true)
  )
}

function outgoing({ partition, key, source, body }: ARecord): OutgoingRecord {
  const headers = source === undefined ? {} : { source }
  if (body === 'tombstone') return { partition, key, headers, value: null }
  if (body === 'poison') return { partition, key, headers, value: 'poison' }
  const merchant = body.id === null ? null : { id: body.id }
  return { partition, key, headers, value: JSON.stringify({ color: body.color, merchant }) }
}

/** Takes all items until a position behind the log's end is told. */
async function drain(subscription: EventIterator<Stock>, ends: readonly number[]): Promise<StreamItem<Stock>[]> {
  const items: StreamItem<Stock>[] = []
  for await (const item of subscription) {
    if (item.kind !== 'progress') items.push(item)
    else if (ends.every((end, partition) => (item.positions.get(partition) ?? 0) >= end)) return items
  }
  throw new Error('The subscription ended')
}

const placesOf = (items: readonly EventRecord[]) =>
  Array.from({ length: PARTITIONS }, (_, partition) =>
    items.filter((item) => item.partition === partition).map(({ offset }) => offset),
  )

test('what reaches a subscriber by where is what a plain scan of the records says', async () => {
  const statistics = new Statistics('where', [
    'index of properties',
    'index of functions',
    'events matched',
    'matched none',
    'by a function of the record',
    'by a function that fails',
    'asked for no value',
    'empty list',
    'filter of the record',
    'tombstones skipped',
    'tombstones as events',
    'tombstones refused',
    'index function failed',
    'live',
    'behind',
    'late',
    'late, of what the window has dropped',
  ])
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.constantFrom<keyof typeof TOMBSTONES>('skip', 'events', 'sometimes'),
      fc.array(record, { minLength: 1, maxLength: 40, size: 'max' }),
      fc.array(subscriber, { minLength: 1, maxLength: 4 }),
      fc.constantFrom(1_000, 1_000_000),
      async (hasFunctions, tombstones, records, asked, maxBytes) => {
        const options = { schema: Stock, tombstones: TOMBSTONES[tombstones] }
        const topic = (hasFunctions
          ? defineTopic('stock', { ...options, index: FUNCTIONS })
          : defineTopic('stock', { ...options, index: ['color', 'gone'] })) as unknown as Topic<Stock>
        const all = asked.map((one) => ({
          ...one,
          where: hasFunctions ? one.where : { ...NO_WHERE, color: one.where.color },
        }))
        const { source, sink, epoch, ...embedded } = createEmbeddedLog()
        embedded.createTopic('stock', PARTITIONS)
        const limits = { maxBytes, maxAgeMs: 3600_000 }
        const streams = new Streams({ topics: [topic], source, sink, epoch, limits, log: silentLog })
        streams.start()
        try {
          await until('it reads', () => streams.readiness().ready)
          const feed = streams.feed<Stock, Stock>(topic as never)
          const begin = feed.cursorAt(new Array(PARTITIONS).fill(0))
          const scanned = scan(records, tombstones)
          const counts = placesOf(scanned).map(({ length }) => length)
          // A last record of each partition, which is no event, passes the end of the others.
          const ends = counts.map((count) => count + 1)
          const subscribe = ({ where, filter, reads }: Asked) =>
            feed.subscribe({
              where: where as never,
              progress: true,
              ...(FILTERS[filter] && { filter: FILTERS[filter] }),
              ...(reads === 'late' && { from: feed.startAfter(begin) }),
            })

          const early = new Map<Asked, EventIterator<Stock>>()
          for (const one of all) if (one.reads !== 'late') early.set(one, subscribe(one))
          const live = new Map<Asked, Promise<StreamItem<Stock>[]>>()
          for (const [one, subscription] of early) if (one.reads === 'live') live.set(one, drain(subscription, ends))
          for (const each of records) await sink.send('stock', [outgoing(each)])
          await until('all is read', () => counts.every((count, partition) => (feed.head[partition] ?? 0) === count))
          const results = all.map((one) => live.get(one) ?? drain(early.get(one) ?? subscribe(one), ends))
          for (let partition = 0; partition < PARTITIONS; partition++)
            await sink.send('stock', [{ key: null, value: 'poison', partition }])

          const events = scanned.filter((each) => typeof each.value === 'object')
          const failing = hasFunctions ? events.filter(({ value }) => (value as Stock).merchant === null).length : 0
          for (const [index, result] of results.entries()) {
            const one = all[index] as Asked
            const expected = events.filter((each) => selects(one, each, each.value as Stock))
            const items = await result
            expect(items.every(({ kind }) => kind === 'event')).toBe(true)
            expect(placesOf(items as never)).toEqual(placesOf(expected))
            statistics.count(expected.length > 0 ? 'events matched' : 'matched none')
            const { where, filter, reads } = one
            if ([where.key, where.source, where.place].some((each) => each !== undefined) && expected.length > 0)
              statistics.count('by a function of the record')
            if (where.merchant !== undefined && failing > 0) statistics.count('by a function that fails')
            const lists = Object.values(where).flatMap((each) => (typeof each === 'object' && each ? [each.in] : []))
            if (lists.some((list) => (list as unknown[]).includes(undefined))) statistics.count('asked for no value')
            if (lists.some((list) => list.length === 0)) statistics.count('empty list')
            if (filter !== 'none') statistics.count('filter of the record')
            statistics.count(reads)
            if (reads === 'late' && feed.window.firstSeq > 0 && expected.length > 0)
              statistics.count('late, of what the window has dropped')
          }
          const skipped = scanned.filter(({ value }) => value === 'skipped').length
          const refused = feed.poison.failures.get('tombstone') ?? 0
          const failures = [...feed.poison.failures.values()].reduce((sum, count) => sum + count, 0)
          expect([feed.events, feed.tombstones, failures]).toEqual([
            events.length,
            skipped,
            scanned.filter(({ value }) => value === 'failure').length + PARTITIONS,
          ])
          expect(refused).toBe(scanned.filter(({ value }, n) => value === 'failure' && isTombstone(records[n])).length)
          expect(feed.faults.count).toBe(failing)
          statistics.count(hasFunctions ? 'index of functions' : 'index of properties')
          statistics.count('tombstones skipped', skipped)
          statistics.count('tombstones as events', events.filter(({ value }) => (value as Stock).gone).length)
          statistics.count('tombstones refused', refused)
          statistics.count('index function failed', failing)
        } finally {
          await streams.close()
          await embedded.close()
        }
      },
    ),
    { numRuns: 300 },
  )
  statistics.report()
})

const NO_WHERE = { color: undefined, merchant: undefined, key: undefined, source: undefined, place: undefined }

const isTombstone = (record: ARecord | undefined) => record?.body === 'tombstone'
