import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import type { StreamEvent } from '../../src/streams/event.ts'
import { Feed } from '../../src/streams/feed/feed.ts'
import { LogReader } from '../../src/streams/feed/log-reader.ts'
import { newest } from '../../src/streams/feed/newest.ts'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import { Streams } from '../../src/streams/streams.ts'
import { defineTopic } from '../../src/streams/topic/topic.ts'
import { batchOf, Paint, ROOMY, recordOf } from '../kit/feeds.ts'
import { silentLog } from '../kit/log-lines.ts'
import { Statistics } from '../kit/statistics.ts'
import { probeTurns } from '../kit/turn-probe.ts'
import { until } from '../kit/until.ts'

/** The budgets of src/streams/turn-budget.ts. */
const LIVE_MS = 8
const SCAN_MS = 5
const BEHIND_MS = 1
const MANY = 20_000

type Probe = ReturnType<typeof probeTurns>

/** A topic of paints of which each record that is decoded is a unit of work. */
function countedPaints(probe: Probe) {
  return defineTopic('paints', {
    schema: Paint,
    index: ['color', 'size'],
    codec: (bytes) => {
      probe.work()
      return JSON.parse(String(bytes))
    },
  })
}

function countedFeed(probe: Probe, { partitions = 1, next = 0, signal = new AbortController().signal } = {}) {
  const feed = new Feed(countedPaints(probe), { limits: ROOMY, log: silentLog, signal })
  const ranges = Array.from({ length: partitions }, (_, partition) => ({ partition, earliest: 0, next }))
  feed.begin(ranges, new Map(ranges.map(({ partition }) => [partition, 0])))
  return feed
}

const red = (offset: number, partition = 0, timestamp = Date.now()) => ({
  ...recordOf(partition, offset, { n: offset, color: 'red' }),
  timestamp,
})
const reds = (count: number, from = 0, partition = 0) =>
  Array.from({ length: count }, (_, index) => red(from + index, partition))

/** What an interest in everything is told, in order. */
function listen(feed: Feed<Paint>): string[] {
  const told: string[] = []
  feed.add(
    {},
    {
      onEvent: ({ partition, offset }) => void told.push(`${partition}:${offset}`),
      onGap: ({ partition, to, reason }) => void told.push(`${partition} ${reason} ${to}`),
      failed: (error) => void told.push(String(error)),
    },
  )
  return told
}

test('a batch of 20,000 records is taken in many turns of some milliseconds, in order, each once', async () => {
  const probe = probeTurns()
  const feed = countedFeed(probe)
  const told = listen(feed)
  const taken = feed.onBatch(batchOf(0, reds(MANY), MANY + 5))
  const first = feed.head[0] as number
  expect(first).toBeLessThanOrEqual(probe.most(LIVE_MS))
  expect(told).toHaveLength(first)
  await taken
  expect(told).toEqual(Array.from({ length: MANY }, (_, offset) => `0:${offset}`))
  expect(feed.head).toEqual([MANY + 5])
  expect(feed.events).toBe(MANY)
  console.log(`a batch of ${MANY}: ${probe.turns} turns of at most ${probe.longest} records`)
  expect(probe.longest).toBeLessThanOrEqual(probe.most(LIVE_MS))
})

test('a batch of poison is bounded as well', async () => {
  const probe = probeTurns()
  const feed = countedFeed(probe)
  await feed.onBatch(
    batchOf(
      0,
      Array.from({ length: MANY }, (_, offset) => recordOf(0, offset, Buffer.from('{}'))),
    ),
  )
  expect(feed.poison.failures.get('schema')).toBe(MANY)
  expect(probe.longest).toBeLessThanOrEqual(probe.most(LIVE_MS))
})

test('a small batch is taken in the turn in which it comes, however many came before', () => {
  const probe = probeTurns()
  const feed = countedFeed(probe)
  const told = listen(feed)
  for (let batch = 0; batch < 50; batch++) {
    expect(feed.onBatch(batchOf(0, reds(10, batch * 10)))).toBeUndefined()
    expect(told).toHaveLength((batch + 1) * 10)
  }
})

test('large records count for more: the clock is looked at after each', async () => {
  const probe = probeTurns()
  const topic = defineTopic('paints', {
    schema: Paint,
    codec: (bytes) => {
      for (let i = 0; i < 40; i++) probe.work()
      return JSON.parse(String(bytes))
    },
  })
  const feed = new Feed(topic, { limits: ROOMY, log: silentLog })
  feed.begin([{ partition: 0, earliest: 0, next: 0 }], new Map([[0, 0]]))
  const large = Array.from({ length: 100 }, (_, offset) =>
    recordOf(0, offset, { n: offset, color: 'x'.repeat(100_000) }),
  )
  await feed.onBatch(batchOf(0, large))
  expect(feed.events).toBe(100)
  expect(probe.longest).toBeLessThanOrEqual(probe.most(LIVE_MS) + 40)
})

test('what is handed over while a batch is half taken follows it: other batches, gaps, a truncation', async () => {
  const probe = probeTurns()
  const feed = countedFeed(probe, { partitions: 2 })
  const told = listen(feed)
  const first = feed.onBatch(batchOf(0, reds(1_000)))
  expect(first).toBeInstanceOf(Promise)
  const second = feed.onBatch(batchOf(1, [red(0, 1)]))
  feed.onGap({ kind: 'gap', topic: 'paints', partition: 0, from: 1_000, to: 7, reason: 'truncation' })
  const third = feed.onBatch(batchOf(0, [red(7)]))
  expect(told.length).toBeLessThan(1_000)
  await Promise.all([first, second, third])
  expect(told.slice(0, 1_000)).toEqual(Array.from({ length: 1_000 }, (_, offset) => `0:${offset}`))
  expect(told.slice(1_000)).toEqual(['1:0', '0 truncation 7', '0:7'])
  expect(feed.head).toEqual([8, 1])
  expect(feed.onBatch(batchOf(1, [red(1, 1)]))).toBeUndefined()
})

test('a batch that is half taken when the feed is stopped stays half taken, and its promise settles', async () => {
  const probe = probeTurns()
  const stop = new AbortController()
  const feed = countedFeed(probe, { signal: stop.signal })
  const told = listen(feed)
  const taken = feed.onBatch(batchOf(0, reds(1_000)))
  const next = feed.onBatch(batchOf(0, [red(1_000)]))
  const half = feed.head[0] as number
  stop.abort()
  await Promise.all([taken, next])
  expect(feed.head).toEqual([half])
  expect(told).toHaveLength(half)
})

test('whatever comes in whatever fetches, it is told as if it were taken at once', async () => {
  const probe = probeTurns()
  const step = fc.record({
    kind: fc.constantFrom('batch', 'batch', 'batch', 'retention', 'truncation', 'await'),
    partition: fc.nat(2),
    count: fc.oneof(fc.nat(20), fc.nat(400)),
  })
  const statistics = new Statistics('turns', ['half taken', 'at once', 'came while half taken', 'gap while half taken'])
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const feed = countedFeed(probe, { partitions: 3 })
      const told = listen(feed)
      const expected: string[] = []
      const next = [0, 0, 0]
      let pending: Promise<void> | undefined
      for (const { kind, partition, count } of steps) {
        const from = next[partition] as number
        const isHalfTaken = expected.length > told.length
        if (kind === 'await') await pending
        else if (kind === 'batch') {
          next[partition] = from + count
          for (let offset = from; offset < from + count; offset++) expected.push(`${partition}:${offset}`)
          pending = feed.onBatch(batchOf(partition, reds(count, from, partition), from + count)) ?? pending
          statistics.count(expected.length > told.length ? 'half taken' : 'at once')
          if (isHalfTaken) statistics.count('came while half taken')
        } else {
          const to = kind === 'retention' ? from + count : 0
          next[partition] = to
          expected.push(`${partition} ${kind} ${to}`)
          feed.onGap({ kind: 'gap', topic: 'paints', partition, from, to, reason: kind })
          if (isHalfTaken) statistics.count('gap while half taken')
        }
      }
      await pending
      await until('all was told', () => told.length === expected.length)
      expect(told).toEqual(expected)
      expect(feed.head).toEqual(next)
    }),
    { numRuns: 100 },
  )
  statistics.report()
  expect(probe.longest).toBeLessThanOrEqual(probe.most(LIVE_MS, 12))
})

/** A feed whose window holds reds, with one green at this offset. */
async function filledFeed(probe: Probe, green: number | undefined, count = MANY): Promise<Feed<Paint>> {
  const feed = countedFeed(probe)
  const records = reds(count)
  if (green !== undefined) records[green] = recordOf(0, green, { n: green, color: 'green' })
  await feed.onBatch(batchOf(0, records))
  return feed
}

const isGreen =
  (probe: Probe) =>
  ({ value }: StreamEvent<Paint>): boolean => {
    probe.work()
    return value.color === 'green'
  }

test('the newest events that match are searched for in many turns, with what comes meanwhile after them', async () => {
  const probe = probeTurns()
  const feed = await filledFeed(probe, 3)
  const before = probe.turns
  const searching = feed.findLast(2, isGreen(probe))
  const found = feed.newest(2, isGreen(probe))
  void feed.onBatch(batchOf(0, [recordOf(0, MANY, { n: MANY, color: 'green' })]))
  const position = await searching
  expect(position.vector).toEqual([3])
  expect((await found).map(({ offset }) => offset)).toEqual([3])
  const reader = new LogReader(feed, position)
  expect(reader.next(({ value }) => value.color === 'green')).toMatchObject({ offset: 3 })
  expect(probe.turns - before).toBeGreaterThan(MANY / probe.most(SCAN_MS))
  expect(probe.longest).toBeLessThanOrEqual(probe.most(LIVE_MS + SCAN_MS, 3))
})

test('while a large batch is taken, those that search the past together get little of each turn, and go on', async () => {
  const probe = probeTurns()
  const feed = await filledFeed(probe, 3)
  const ofPast = { units: 0, longest: 0, whileTaken: 0 }
  const isGreenOfPast = ({ value }: StreamEvent<Paint>): boolean => {
    probe.work()
    ofPast.units++
    return value.color === 'green'
  }
  let isTaken = false
  const look = (): void => {
    ofPast.longest = Math.max(ofPast.longest, ofPast.units)
    ofPast.whileTaken += ofPast.units
    ofPast.units = 0
    if (!isTaken) setImmediate(look)
  }
  const taken = feed.onBatch(batchOf(0, reds(MANY, MANY)))
  setImmediate(look)
  const searches = Array.from({ length: 10 }, () => feed.newest(1, isGreenOfPast))
  await taken
  isTaken = true
  console.log(`while a batch was taken: ${ofPast.whileTaken} looked at, at most ${ofPast.longest} a turn`)
  // The first pieces of all searches are looked at before they wait for a turn of their own.
  expect(ofPast.longest).toBeLessThanOrEqual(probe.most(BEHIND_MS, 10))
  expect(ofPast.whileTaken).toBeGreaterThan(1_000)
  expect(ofPast.whileTaken).toBeLessThan(MANY / 4)
  for (const search of searches) expect((await search).map(({ offset }) => offset)).toEqual([3])
})

test('a search stops where the window begins by then, and begins anew where its places mean nothing any more', async () => {
  const probe = probeTurns()
  const feed = await filledFeed(probe, 3)
  const searching = newest(feed.window, 1, isGreen(probe))
  feed.window.evict(Date.now() + 2 * ROOMY.maxAgeMs)
  expect(await searching).toEqual({ events: [], seq: MANY })

  const other = await filledFeed(probe, 3)
  const position = other.findLast(1, isGreen(probe))
  other.onGap({ kind: 'gap', topic: 'paints', partition: 0, from: MANY, to: 0, reason: 'truncation' })
  void other.onBatch(batchOf(0, [recordOf(0, 0, { n: 0, color: 'green' })]))
  expect((await position).vector).toEqual([0])
})

test('a search that fails says so to who asked for it', async () => {
  const feed = await filledFeed(probeTurns(), 3, 10)
  const fails = () => {
    throw new Error('a filter that fails')
  }
  await expect(feed.newest(1, fails)).rejects.toThrow('a filter that fails')
})

test('a subscription that starts in the past searches for its first match in many turns, and misses nothing', async () => {
  const probe = probeTurns()
  const feed = await filledFeed(probe, MANY - 1)
  const from = await feed.findLast(1, ({ offset }) => offset === 0)
  const filter = ({ color }: Paint): boolean => {
    probe.work()
    return color === 'green'
  }
  const subscription = feed.subscribe({ filter, from })
  const first = subscription.next()
  void feed.onBatch(batchOf(0, [recordOf(0, MANY, { n: MANY, color: 'green' })]))
  expect((await first).value).toMatchObject({ offset: MANY - 1 })
  expect((await subscription.next()).value).toMatchObject({ offset: MANY })
  expect(probe.longest).toBeLessThanOrEqual(probe.most(LIVE_MS + SCAN_MS, 3))
  await subscription.return()
})

test('many searches share the time of a turn', async () => {
  const probe = probeTurns()
  const feed = await filledFeed(probe, undefined, 2_000)
  await Promise.all(Array.from({ length: 20 }, () => feed.newest(1, isGreen(probe))))
  expect(probe.longest).toBeLessThanOrEqual(probe.most(LIVE_MS + SCAN_MS, 21))
})

test('a window is sorted by time in many turns, and the instance is ready after that', async () => {
  const probe = probeTurns()
  const count = MANY / 4
  const log = createEmbeddedLog()
  onTestFinished(() => log.close())
  log.createTopic('paints', 4)
  for (let partition = 0; partition < 4; partition++) {
    const records = Array.from({ length: count }, (_, n) => ({
      key: null,
      value: JSON.stringify({ n, color: 'red' }),
      partition,
      get timestamp() {
        return Date.now() - 100_000 + n * 4 + partition
      },
    }))
    await log.sink.send('paints', records)
  }
  const topic = countedPaints(probe)
  const streams = new Streams({ topics: [topic], source: log.source, limits: ROOMY, log: silentLog })
  onTestFinished(() => streams.close())
  streams.start()
  await until('the instance is ready', () => streams.readiness().ready)
  const { window } = streams.feed(topic)
  let last = 0
  for (let seq = window.firstSeq; seq < window.nextSeq; seq++) {
    const { timestamp } = window.at(seq) as StreamEvent
    expect(timestamp).toBeGreaterThanOrEqual(last)
    last = timestamp
  }
  expect(window.nextSeq - window.firstSeq).toBe(4 * count)
  expect(probe.longest).toBeLessThanOrEqual(probe.most(LIVE_MS + SCAN_MS, 3))
})

test('a window that somebody has a place in while it is sorted stays as it is', async () => {
  const probe = probeTurns()
  const feed = countedFeed(probe, { next: 1_000 })
  const records = Array.from({ length: 1_000 }, (_, offset) => red(offset))
  const taken = feed.onBatch(batchOf(0, records))
  listen(feed)
  await taken
  expect(feed.isFilled).toBe(true)
  expect(feed.window.firstSeq).toBe(0)
})

test('what is read of the log apart from the live reader, and the search for a moment in it, are bounded', async () => {
  const probe = probeTurns()
  const log = createEmbeddedLog()
  onTestFinished(() => log.close())
  log.createTopic('paints', 1)
  const at = { key: null, value: JSON.stringify({ n: 0, color: 'red' }), partition: 0 }
  const timed = { ...at }
  Object.defineProperty(timed, 'timestamp', { get: () => 5, enumerable: true })
  await log.sink.send('paints', new Array(MANY).fill(timed))
  const topic = countedPaints(probe)
  const feed = new Feed(topic, { limits: { maxBytes: 0, maxAgeMs: 1 }, log: silentLog, source: log.source })
  feed.begin([{ partition: 0, earliest: 0, next: MANY }], new Map([[0, MANY]]))
  const reader = new LogReader(feed, await feed.startSince(0))
  for (let count = 0; count < MANY; ) {
    const item = reader.next(() => true)
    if (item instanceof Promise) await item
    else if (item?.kind === 'event') count++
  }
  expect(probe.longest).toBeLessThanOrEqual(probe.most(SCAN_MS))
  expect(await log.source.offsetsAt('paints', 6)).toEqual(new Map([[0, MANY]]))
})
