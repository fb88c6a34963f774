import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Gap, StreamEvent } from '../../../src/streams/event.ts'
import type { Feed } from '../../../src/streams/feed/feed.ts'
import { LogReader } from '../../../src/streams/feed/log-reader.ts'
import { Position } from '../../../src/streams/feed/position.ts'
import { createEmbeddedLog, type EmbeddedLog } from '../../../src/streams/source/embedded/embedded.ts'
import { Streams } from '../../../src/streams/streams.ts'
import type { Selection, Where } from '../../../src/streams/topic/where.ts'
import { type Paint, paints } from '../../kit/feeds.ts'
import { silentLog } from '../../kit/log-lines.ts'
import { isSelected } from '../../kit/selection.ts'
import { Statistics } from '../../kit/statistics.ts'
import { LaggingSource } from '../../kit/two-instances.ts'

/**
 * Readers that find their events by postings, of the window and of pages, beside one that looks at every event: at each
 * step all of them are at the same place, whatever happens to the log, the window and the instance's lag.
 */
const PARTITIONS = 3
const READERS = 4

const partition = fc.nat(PARTITIONS - 1)
const color = fc.oneof({ weight: 8, arbitrary: fc.constant('red') }, fc.constantFrom('green', 'blue'))
const size = fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, fc.constantFrom('S', 'L'))
const number = fc.nat(300)
const single: fc.Arbitrary<Where<Paint>> = fc.oneof(
  fc.record({ color: fc.constantFrom('red', 'green', 'blue', 'nobody has it') }),
  fc.record({ size: fc.constantFrom('S', 'L') }),
  fc.record({ color: fc.record({ in: fc.array(fc.constantFrom('red', 'green', 'blue'), { maxLength: 3 }) }) }),
  fc.record({ color: fc.constantFrom('red', 'green'), size: fc.record({ in: fc.constant(['S', undefined, 'S']) }) }),
  fc.record({ color: fc.constantFrom('green', 'blue'), n: fc.record({ gte: number }) }),
  fc.record({ n: fc.record({ gt: number, lte: number }) }),
  fc.constant({}),
)
const where: fc.Arbitrary<Selection<Paint>> = fc.oneof(
  { weight: 3, arbitrary: single },
  fc.array(single, { minLength: 0, maxLength: 3 }),
)
const start = fc.oneof(
  fc.record({ kind: fc.constant('head' as const) }),
  fc.record({ kind: fc.constant('last' as const), count: fc.nat(5) }),
  fc.record({
    kind: fc.constant('cursor' as const),
    vector: fc.array(fc.integer({ min: -1, max: 120 }), { maxLength: PARTITIONS + 1 }),
  }),
)
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      partition,
      paints: fc.array(fc.record({ color, size }), { minLength: 1, maxLength: 40, size: 'max' }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('read' as const), partition, count: fc.nat(60) }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('pull' as const), reader: fc.nat(), times: fc.nat(12) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('open' as const), where, start }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('evict' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retain' as const), partition, share: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replace' as const), count: fc.nat(50) }) },
)

const MAX_AGE_MS = 3600_000

type Item = StreamEvent<Paint> | Gap | undefined

/** An instance that reads the log. */
interface Instance {
  readonly source: LaggingSource
  readonly streams: Streams
  readonly feed: Feed<Paint>
}

/** Readers of one instance that look at every event, and readers of another that need not. */
interface Readers {
  readonly where: Selection<Paint>
  readonly scans: readonly LogReader<Paint>[]
  readonly narrow: readonly LogReader<Paint>[]
}

async function startInstance(log: EmbeddedLog, maxBytes: number): Promise<Instance> {
  const source = new LaggingSource(log.source)
  const limits = { maxBytes, maxAgeMs: MAX_AGE_MS }
  const streams = new Streams({ topics: [paints], source, epoch: log.epoch, limits, log: silentLog })
  streams.start()
  while (!streams.readiness().ready) {
    await source.catchUp()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { source, streams, feed: streams.feed(paints) }
}

async function nextOf(reader: LogReader<Paint>, matches?: (event: StreamEvent<Paint>) => boolean): Promise<Item> {
  for (;;) {
    const item = matches ? reader.next(matches) : reader.next()
    if (!(item instanceof Promise)) return item
    await item
  }
}

/** All that another can see of a reader. */
const stateOf = (reader: LogReader<Paint>) => ({
  cursor: reader.cursor,
  vector: [...reader.vector],
  seq: reader.seq,
  isCovered: reader.isCovered,
})

type Start = typeof start extends fc.Arbitrary<infer T> ? T : never

async function openAt(feed: Feed<Paint>, from: Start, wanted: Selection<Paint>) {
  if (from.kind === 'head') return () => Position.atHead(feed)
  if (from.kind === 'cursor') {
    const cursor = feed.cursorAt(from.vector)
    return () => feed.startAfter(cursor)
  }
  const { vector, seq } = await feed.findLast(from.count, () => true, wanted)
  return () => new Position(feed, vector, seq)
}

test('readers that find their events by postings are at each step where one that looks at every event is', async () => {
  const statistics = new Statistics('narrow readers', [
    'event',
    'gap: retention',
    'gap: truncation',
    'at the end',
    'of the window',
    'of the log',
    'found by postings of a page',
    'many passed at once',
    'ahead of the instance',
    'out of the order of the window',
    'window overflowed',
    'event of an alternative',
    'event of a range',
  ])
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }),
      fc.constantFrom(2_000, 20_000, 1_000_000),
      async (steps, maxBytes) => {
        let log = createEmbeddedLog()
        const logs = [log]
        log.createTopic(paints.name, PARTITIONS)
        const scanning = await startInstance(log, maxBytes)
        const searching = await startInstance(log, maxBytes)
        const instances = [scanning, searching]
        const { feed } = searching
        let withPostings = 0
        const { lookUpIn } = feed
        feed.lookUpIn = (page) => {
          lookUpIn.call(feed, page)
          if (page.postings) withPostings++
        }
        let n = 0
        const append = (at: number, values: readonly Omit<Paint, 'n'>[]) => {
          const records = values.map((value) => ({
            key: null,
            value: JSON.stringify({ ...value, n: n++ }),
            partition: at,
          }))
          return log.sink.send(paints.name, records)
        }
        const all: Readers[] = []
        const open = async (wanted: Selection<Paint>, from: Start) => {
          const atScan = await openAt(scanning.feed, from, wanted)
          const atSearch = await openAt(feed, from, wanted)
          const scans = [0, 1].map(() => new LogReader(scanning.feed, atScan()))
          const narrow = [0, 1].map(() => new LogReader(feed, atSearch(), wanted))
          all.push({ where: wanted, scans, narrow })
          if (all.length > READERS) for (const each of all.shift()?.narrow ?? []) each.close()
        }
        await open({ color: 'green' }, { kind: 'cursor', vector: [] })

        /** One step of all readers of a kind. False: they are at the end. */
        const pull = async ({ where, scans, narrow }: Readers): Promise<boolean> => {
          const before = [...(scans[0] as LogReader<Paint>).vector]
          const expected: { item: Item; others: readonly Gap[]; state: ReturnType<typeof stateOf> }[] = []
          for (const scan of scans) {
            const item = await nextOf(scan, (event) => isSelected(where, event.value, { n: 'number' }))
            expected.push({ item, others: scan.otherGaps(), state: stateOf(scan) })
          }
          // The second of an instance may find a page that has grown since the first has read it: each has its own pair.
          for (const [i, reader] of narrow.entries()) {
            const item = await nextOf(reader)
            expect({ item, others: reader.otherGaps(), state: stateOf(reader) }).toEqual(expected[i])
          }
          const { item, state } = expected[0] as (typeof expected)[number]
          const passed = state.vector.reduce((sum, offset, p) => sum + Math.max(0, offset - (before[p] ?? 0)), 0)
          if (passed > 4 * PARTITIONS + 1 && item?.kind !== 'gap') statistics.count('many passed at once')
          if (!state.isCovered) statistics.count('ahead of the instance')
          if (state.seq < 0) statistics.count('out of the order of the window')
          if (item === undefined) statistics.count('at the end')
          else if (item.kind === 'gap') statistics.count(`gap: ${item.reason}`)
          else {
            statistics.count('event')
            if (Array.isArray(where)) statistics.count('event of an alternative')
            else if ('n' in where) statistics.count('event of a range')
            const isHeld = item.offset >= (feed.window.floor(item.partition) ?? 0)
            statistics.count(isHeld ? 'of the window' : 'of the log')
          }
          return item !== undefined
        }

        for (const one of steps) {
          if (one.kind === 'append') await append(one.partition, one.paints)
          else if (one.kind === 'read')
            for (const { source } of instances) await source.advance(one.partition, one.count)
          else if (one.kind === 'evict')
            for (const { feed } of instances) feed.window.evict(Date.now() + 2 * MAX_AGE_MS)
          else if (one.kind === 'open') await open(one.where, one.start)
          else if (one.kind === 'pull') {
            const readers = all[one.reader % all.length] as Readers
            for (let time = 0; time < one.times && (await pull(readers)); time++);
          } else if (one.kind === 'retain') {
            const range = (await log.source.ranges(paints.name))[one.partition]
            if (!range) continue
            const { earliest, next } = range
            const before = earliest + Math.floor(((next - earliest) * one.share) / 100)
            log.deleteRecords(paints.name, one.partition, before)
          } else {
            log = createEmbeddedLog()
            logs.push(log)
            log.createTopic(paints.name, PARTITIONS)
            for (const { source } of instances) source.moveTo(log.source)
            for (let p = 0; p < PARTITIONS; p++) await append(p, new Array(one.count).fill({ color: 'blue' }))
            // Until it is noticed, pages of the former log could not be had.
            for (const { source } of instances) await source.catchUp()
          }
        }
        for (const { source } of instances) await source.catchUp()
        for (const readers of all) while (await pull(readers));
        statistics.count('found by postings of a page', withPostings)
        if (feed.window.firstSeq > 0) statistics.count('window overflowed')
        for (const { streams } of instances) await streams.close()
        for (const each of logs) await each.close()
      },
    ),
    { numRuns: 200 },
  )
  statistics.report()
}, 120_000)
