import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCursor } from '../../../src/streams/cursor/cursor.ts'
import type { Gap, RawRecord, StreamItem } from '../../../src/streams/event.ts'
import type { EventIterator } from '../../../src/streams/feed/event-iterator.ts'
import type { Feed } from '../../../src/streams/feed/feed.ts'
import type { Selection, Where } from '../../../src/streams/topic/where.ts'
import { batchOf, type Paint, paintFeed, recordOf } from '../../kit/feeds.ts'
import { isSelected } from '../../kit/selection.ts'
import { STAMP_NAMES, STAMPS, type StampName } from '../../kit/stamps.ts'
import { Statistics } from '../../kit/statistics.ts'

/**
 * Batches of several partitions, with holes, poison, gaps and truncations, and consumers that pull whenever they like.
 * The law: each gets every event that it asked for once, in the order of its partition, or a gap that covers it.
 */
const PARTITIONS = 3
const CONSUMERS = 4

const partition = fc.nat(PARTITIONS - 1)
const color = fc.constantFrom('red', 'green', 'blue')
const size = fc.constantFrom('S', 'L', undefined)
const record = fc.record({
  color,
  size,
  hole: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 3 })),
  poison: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, fc.constant(true)),
  stamp: fc.oneof({ weight: 5, arbitrary: fc.constant('now' as const) }, fc.constantFrom<StampName>(...STAMP_NAMES)),
})
const number = fc.nat(60)
const single: fc.Arbitrary<Where<Paint>> = fc.oneof(
  fc.constant({}),
  fc.record({ color }),
  fc.record({ color: fc.record({ in: fc.array(color, { maxLength: 2 }) }), size: fc.constantFrom('S', 'L') }),
  fc.record({ n: fc.record({ gt: number }) }),
  fc.record({ n: fc.record({ gte: number, lt: number }), color }),
)
const where: fc.Arbitrary<Selection<Paint>> = fc.oneof(
  { weight: 4, arbitrary: single },
  fc.array(single, { maxLength: 3 }),
)
const filter = fc.constantFrom<'none' | 'even' | 'throws on blue'>('none', 'none', 'even', 'throws on blue')
const consumers = fc.array(fc.record({ where, filter, progress: fc.boolean() }), {
  minLength: 1,
  maxLength: CONSUMERS,
})
const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('batch' as const),
      partition,
      records: fc.array(record, { maxLength: 6 }),
      trailing: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 2 })),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('pull' as const),
      consumer: fc.nat(CONSUMERS - 1),
      times: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('gap' as const), partition, length: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), partition }) },
)

type Consumer = {
  readonly where: Selection<Paint>
  readonly filter: 'none' | 'even' | 'throws on blue'
  readonly subscription: EventIterator<Paint>
  readonly got: StreamItem<Paint>[]
  waiting: number
}

function wants({ where, filter }: Pick<Consumer, 'where' | 'filter'>, paint: Paint): boolean {
  if (!isSelected(where, paint, { n: 'number' })) return false
  if (filter === 'even') return paint.n % 2 === 0
  return filter === 'none' || paint.color !== 'blue'
}

function subscribe(feed: Feed<Paint>, options: Pick<Consumer, 'where' | 'filter'> & { progress: boolean }): Consumer {
  const { where, filter, progress } = options
  const subscription = feed.subscribe({
    where,
    progress,
    ...(filter === 'even' && { filter: (paint: Paint) => paint.n % 2 === 0 }),
    ...(filter === 'throws on blue' && {
      filter: (paint: Paint) => {
        if (paint.color === 'blue') throw new Error('No blue')
        return true
      },
    }),
  })
  return { where, filter, subscription, got: [], waiting: 0 }
}

function pull(consumer: Consumer): void {
  consumer.waiting++
  void consumer.subscription.next().then((result) => {
    consumer.waiting--
    if (!result.done) consumer.got.push(result.value)
  })
}

/** Promises that are resolved have told their consumers when this has passed, also where a search takes a turn more. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/**
 * Whether a gap tells that an offset is gone: it lies between the gap's two ends; or the log was cut off after it came,
 * and the gap begins before it (or before its whole log, which came and went unread); or it is in the new log, before
 * the place where reading goes on.
 */
function covers(gap: Gap, event: { partition: number; offset: number; era: number }, lastEra: number): boolean {
  if (gap.partition !== event.partition) return false
  if (gap.reason === 'retention') return gap.from <= event.offset && event.offset < gap.to
  if (event.era === lastEra) return event.offset < gap.to
  return gap.from <= event.offset || event.era > 0
}

test('every consumer gets every event it asked for once and in order, or a gap that covers it', async () => {
  const statistics = new Statistics('feed', [
    'got while waiting',
    'read on from the window',
    'fell off the window',
    'missed by a gap',
    'gap of the log',
    'truncation',
    'hole',
    'empty batch',
    'poison',
    'progress',
    'filter threw',
    ...STAMP_NAMES,
  ])
  await fc.assert(
    fc.asyncProperty(
      consumers,
      fc.array(step, { minLength: 10, maxLength: 100, size: 'max' }),
      fc.constantFrom(600, 2000, 1_000_000),
      async (asked, steps, maxBytes) => {
        const feed = paintFeed({ partitions: PARTITIONS, limits: { maxBytes, maxAgeMs: 3600_000 } })
        const all = asked.map((one) => subscribe(feed, one))
        const next = new Array<number>(PARTITIONS).fill(0)
        /** How often each partition was truncated: what comes after a truncation is not what it took away. */
        const era = new Array<number>(PARTITIONS).fill(0)
        const events: { paint: Paint; partition: number; offset: number; era: number }[] = []
        /** Offsets that the log told as gone. */
        const gone: { partition: number; offset: number; era: number }[] = []
        let n = 0

        for (const one of steps) {
          if (one.kind === 'batch') {
            const records: RawRecord[] = []
            for (const { color, size, hole, poison, stamp } of one.records) {
              const offset = (next[one.partition] as number) + hole
              next[one.partition] = offset + 1
              if (hole > 0) statistics.count('hole')
              const more = stamp === 'now' ? {} : { timestamp: STAMPS[stamp] }
              if (stamp !== 'now') statistics.count(stamp)
              if (poison) {
                statistics.count('poison')
                records.push({ ...recordOf(one.partition, offset, Buffer.from('poison')), ...more })
                continue
              }
              const paint: Paint = { n: n++, color, ...(size && { size }) }
              records.push({ ...recordOf(one.partition, offset, paint), ...more })
              events.push({ paint, partition: one.partition, offset, era: era[one.partition] as number })
              for (const consumer of all) {
                if (consumer.filter === 'throws on blue' && color === 'blue') statistics.count('filter threw')
              }
            }
            next[one.partition] = (next[one.partition] as number) + one.trailing
            if (records.length === 0) statistics.count('empty batch')
            const waitingBefore = all.filter(({ waiting }) => waiting > 0).length
            void feed.onBatch(batchOf(one.partition, records, next[one.partition]))
            expect(feed.head[one.partition]).toBe(next[one.partition])
            expect(decodeCursor('paints', feed.cursor).positions).toEqual(feed.head)
            await settled()
            statistics.count('got while waiting', waitingBefore - all.filter(({ waiting }) => waiting > 0).length)
          } else if (one.kind === 'pull') {
            const consumer = all[one.consumer % all.length] as Consumer
            const before = consumer.got.length
            for (let time = 0; time < one.times && consumer.waiting === 0; time++) {
              pull(consumer)
              await settled()
            }
            statistics.count('read on from the window', consumer.got.length - before)
          } else if (one.kind === 'gap') {
            const from = next[one.partition] as number
            const to = from + one.length
            next[one.partition] = to
            for (let offset = from; offset < to; offset++) {
              gone.push({ partition: one.partition, offset, era: era[one.partition] as number })
            }
            feed.onGap({ kind: 'gap', topic: 'paints', partition: one.partition, from, to, reason: 'retention' })
            await settled()
            statistics.count('gap of the log')
          } else {
            const from = next[one.partition] as number
            if (from === 0) continue
            next[one.partition] = 0
            era[one.partition] = (era[one.partition] as number) + 1
            feed.onGap({ kind: 'gap', topic: 'paints', partition: one.partition, from, to: 0, reason: 'truncation' })
            await settled()
            statistics.count('truncation')
          }
        }

        for (const consumer of all) {
          while (consumer.waiting === 0) {
            pull(consumer)
            await settled()
          }
          const got = consumer.got.filter((item) => item.kind === 'event')
          const gaps = consumer.got.filter((item) => item.kind === 'gap')
          statistics.count('progress', consumer.got.length - got.length - gaps.length)
          const numbers = got.map(({ value }) => value.n)
          expect(new Set(numbers).size, 'none twice').toBe(numbers.length)
          for (let each = 0; each < PARTITIONS; each++) {
            const inPartition = got.filter((item) => item.partition === each).map(({ value }) => value.n)
            expect(inPartition, 'in the order of the partition').toEqual(inPartition.toSorted((a, b) => a - b))
          }
          const seen = new Set(numbers)
          for (const { paint, ...event } of events) {
            if (!wants(consumer, paint)) {
              expect(seen.has(paint.n), 'not asked for').toBe(false)
            } else if (!seen.has(paint.n)) {
              statistics.count('missed by a gap')
              expect(
                gaps.some((gap) => covers(gap, event, era[event.partition] as number)),
                `${event.partition}:${event.offset} was told as gone`,
              ).toBe(true)
            }
          }
          for (const event of gone) {
            expect(
              gaps.some((gap) => covers(gap, event, era[event.partition] as number)),
              `${event.partition}:${event.offset}, which the log has no more, was told as gone`,
            ).toBe(true)
          }
          if (gaps.some(({ reason }) => reason === 'retention')) statistics.count('fell off the window')
          if (maxBytes === 1_000_000 && !steps.some(({ kind }) => kind === 'truncate' || kind === 'gap')) {
            expect(gaps, 'no gap where the window holds all').toEqual([])
          }
        }
        for (const { subscription } of all) await subscription.return()
      },
    ),
    { numRuns: 1000 },
  )
  statistics.report()
})
