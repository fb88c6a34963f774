import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type { Positions, RawRecord } from '../../src/streams/event.ts'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import {
  type FetchedRecords,
  type PartitionRange,
  type Reader,
  type Source,
  SourceUnavailable,
} from '../../src/streams/source/port.ts'
import { Streams } from '../../src/streams/streams.ts'
import { type Paint, paints, ROOMY, recordOf } from '../kit/feeds.ts'
import { recordedLog, silentLog } from '../kit/log-lines.ts'
import { until } from '../kit/until.ts'

const NOW = Date.UTC(2026, 10, 27)

/** A source whose every answer a test gives, and whose reader it plays. */
class PlayedSource implements Source {
  ranges_: PartitionRange[] = [{ partition: 0, earliest: 0, next: 0 }]
  young: Positions = new Map()
  /** Asked for by `offsetsAt`. */
  askedAt: number | undefined
  unavailable: string | undefined
  tries = 0
  from: Positions | undefined
  /** What the log holds, by partition. Where nothing is given, a fetch is unavailable. */
  log = new Map<number, RawRecord[]>()
  /** Ends that are asked for after the window was filled. */
  ends_: Positions = new Map()
  fetched = 0
  reader: Reader | undefined

  async ranges(): Promise<readonly PartitionRange[]> {
    this.tries++
    if (this.unavailable) throw new SourceUnavailable(this.unavailable)
    return this.ranges_
  }

  async offsetsAt(_topic: string, timestamp: number): Promise<Positions> {
    this.askedAt = timestamp
    return this.young
  }

  async ends(): Promise<Positions> {
    return this.ends_
  }

  read(_topic: string, from: Positions, reader: Reader, signal: AbortSignal): Promise<void> {
    this.from = from
    this.reader = reader
    reader.onState({ kind: 'reading' })
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
  }

  async fetch(_topic: string, partition: number, offset: number, maxBytes: number): Promise<FetchedRecords> {
    const log = this.log.get(partition)
    if (!log) throw new SourceUnavailable('No fetches are played')
    const range = this.ranges_.find((each) => each.partition === partition) as PartitionRange
    if (offset < range.earliest) return { kind: 'out_of_range', range }
    let bytes = 0
    const records: RawRecord[] = []
    for (const record of log) {
      if (record.offset < offset) continue
      if (bytes > 0 && bytes + (record.value?.length ?? 0) > maxBytes) break
      bytes += record.value?.length ?? 0
      records.push(record)
    }
    this.fetched += records.length
    const nextOffset = (records.at(-1)?.offset ?? offset - 1) + 1
    return { kind: 'records', records, nextOffset, endOffset: range.next }
  }

  async close(): Promise<void> {}

  /** Hands over records of a partition, from `offset` up to `next`. */
  hand(partition: number, offset: number, next: number, values: (object | Buffer)[]): void {
    const records = values.map((value, index) => recordOf(partition, offset + index, value))
    void this.reader?.onBatch({ topic: 'paints', partition, records, nextOffset: next, endOffset: next })
  }
}

function play(source: Source, { limits = ROOMY, log = silentLog } = {}): Streams {
  const streams = new Streams({ topics: [paints], source, limits, log })
  onTestFinished(() => streams.close())
  return streams
}

const paint = (n: number): Paint => ({ n, color: 'red' })

beforeEach(() => void vi.useFakeTimers({ now: NOW, toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'Date'] }))
afterEach(() => vi.useRealTimers())

/** Lets promises that need no timer come to their end. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

test('before it is started, and while it reads what came meanwhile, it says what it waits for', async () => {
  const source = new PlayedSource()
  source.ends_ = new Map([[0, 10]])
  const streams = play(source)
  const waiting = { ready: false, isFilling: false }
  expect(streams.readiness()).toEqual({ ...waiting, reason: 'Topic "paints": The reader has not been started' })
  streams.start()
  await turn()
  const filling = { ready: false, isFilling: true }
  expect(streams.readiness()).toEqual({ ...filling, reason: 'Topic "paints": 10 offsets to go' })
  source.hand(0, 0, 4, [paint(0), paint(1)])
  expect(streams.readiness()).toEqual({ ...filling, reason: 'Topic "paints": 6 offsets to go' })
  source.hand(0, 4, 10, [paint(2)])
  expect(streams.readiness()).toEqual({ ready: true })
})

test('a log that ends with a transaction marker is passed by an empty batch', async () => {
  const source = new PlayedSource()
  source.ends_ = new Map([[0, 2]])
  const streams = play(source)
  streams.start()
  await turn()
  source.hand(0, 0, 1, [paint(0)])
  expect(streams.readiness().ready).toBe(false)
  source.hand(0, 1, 2, [])
  expect(streams.readiness()).toEqual({ ready: true })
})

test('a log whose records are gone by the time they are read does not hold up readiness', async () => {
  const source = new PlayedSource()
  source.ends_ = new Map([[0, 5]])
  const streams = play(source)
  streams.start()
  await turn()
  source.reader?.onGap({ kind: 'gap', topic: 'paints', partition: 0, from: 0, to: 5, reason: 'retention' })
  expect(streams.readiness()).toEqual({ ready: true })
})

test('a log that cannot be reached is tried again until it can, and the reason is told and logged once', async () => {
  vi.useRealTimers()
  const { log, lines } = recordedLog()
  const source = new PlayedSource()
  source.unavailable = 'No broker answers'
  const streams = play(source, { log })
  streams.start()
  await until('it has tried several times', () => source.tries >= 3)
  expect(streams.readiness()).toMatchObject({ ready: false, reason: 'Topic "paints": No broker answers' })
  expect(lines.map(({ msg, reason }) => `${msg}: ${reason}`)).toEqual(['Not reading: No broker answers'])
  source.unavailable = 'The topic does not exist'
  await until('it says the new reason', () => lines.length === 2)
  source.unavailable = undefined
  await until('it is ready', () => streams.readiness().ready)
})

test('closing while it waits for the log ends the trying at once', async () => {
  vi.useRealTimers()
  const source = new PlayedSource()
  source.unavailable = 'No broker answers'
  const streams = play(source)
  streams.start()
  await turn()
  await streams.close()
  expect(source.tries).toBe(1)
})

/** Records of a partition, one a second up to now, whose values are about `bytes` long. */
function recorded(partition: number, from: number, to: number, bytes = 0): RawRecord[] {
  return Array.from({ length: to - from }, (_, at) => ({
    ...recordOf(partition, from + at, { n: from + at, color: 'red', size: 'x'.repeat(bytes) }),
    timestamp: NOW - 1_000 * (to - from - at),
  }))
}

test('a window is filled from what is young enough and retained, and reading begins at the end', async () => {
  vi.useRealTimers()
  const source = new PlayedSource()
  source.ranges_ = [
    { partition: 0, earliest: 0, next: 1000 }, // old events before 900
    { partition: 1, earliest: 500, next: 600 }, // all young
    { partition: 2, earliest: 0, next: 10 }, // none young
    { partition: 3, earliest: 0, next: 0 }, // empty
    { partition: 4, earliest: 0, next: 10 }, // new: the index by time does not know it yet
  ]
  for (const { partition, earliest, next } of source.ranges_)
    source.log.set(partition, recorded(partition, earliest, next))
  source.young = new Map([[0, 900], [1, 0], [2, 99], [3, 0]]) // biome-ignore format: one line
  const streams = play(source)
  streams.start()
  await until('it reads', () => source.from !== undefined)
  expect(source.from).toEqual(new Map([[0, 1000], [1, 600], [2, 10], [3, 0], [4, 10]])) // biome-ignore format: one line
  const { window } = streams.feed(paints)
  expect([0, 1, 2, 3, 4].map((partition) => window.floor(partition))).toEqual([900, 500, 10, 0, 0])
  expect(window.nextSeq - window.firstSeq).toBe(100 + 100 + 10)
  const times = Array.from({ length: 210 }, (_, seq) => window.at(seq)?.timestamp as number)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
})

test('a window is filled with what fits and little more is decoded, whatever the partitions and the sizes of events', async () => {
  vi.useRealTimers()
  for (const [partitions, records, bytes] of [
    [2, 20_000, 0],
    [12, 4_000, 0],
    [64, 800, 0],
    [3, 500, 20_000],
  ] as const) {
    // biome-ignore format: one line
    const source = new PlayedSource()
    source.ranges_ = Array.from({ length: partitions }, (_, partition) => ({ partition, earliest: 0, next: records }))
    for (const { partition } of source.ranges_) source.log.set(partition, recorded(partition, 0, records, bytes))
    const streams = play(source, { limits: { maxBytes: 2 * 1024 * 1024, maxAgeMs: 3_600_000 } })
    streams.start()
    await until('it reads', () => source.from !== undefined)
    const feed = streams.feed(paints)
    const kept = feed.window.nextSeq - feed.window.firstSeq
    expect(kept).toBeLessThan(partitions * records)
    expect(feed.window.bytes).toBeGreaterThan(1.9 * 1024 * 1024)
    expect(feed.events / kept).toBeLessThan(1.3)
    await streams.close()
  }
})

test('a topic of more than 256 partitions is refused with the reason, and one of 256 is served', async () => {
  vi.useRealTimers()
  const source = new PlayedSource()
  source.ranges_ = Array.from({ length: 257 }, (_, partition) => ({ partition, earliest: 0, next: 0 }))
  const streams = play(source)
  streams.start()
  await turn()
  const reason = 'Topic "paints": The topic "paints" has 257 partitions, more than 256'
  expect(streams.readiness()).toMatchObject({ ready: false, reason })
  source.ranges_.pop()
  await until('it is ready', () => streams.readiness().ready)
})

test('a topic that grows beyond 256 partitions is no longer ready, and its open streams go on with what they had', async () => {
  const { log, lines } = recordedLog()
  const source = new PlayedSource()
  const streams = play(source, { log })
  streams.start()
  await turn()
  source.hand(255, 0, 1, [paint(0)])
  expect(streams.readiness()).toEqual({ ready: true })
  source.hand(256, 0, 1, [paint(1)])
  source.hand(256, 1, 2, [paint(2)])
  const reason = 'The topic has grown beyond 256 partitions'
  expect(streams.readiness()).toMatchObject({ ready: false, reason: `Topic "paints": ${reason}` })
  expect(lines.filter(({ msg }) => msg === reason)).toHaveLength(1)
  const feed = streams.feed(paints)
  expect(feed.head).toHaveLength(256)
  expect(feed.events).toBe(1)
})

test('when the log is lost later it is not ready, and the events of open streams go on when it is back', async () => {
  const source = new PlayedSource()
  const streams = play(source)
  streams.start()
  await turn()
  const subscription = streams.feed(paints).subscribe()
  source.reader?.onState({ kind: 'waiting', reason: 'The broker closed the connection' })
  expect(streams.readiness()).toMatchObject({ reason: 'Topic "paints": The broker closed the connection' })
  source.reader?.onState({ kind: 'reading' })
  expect(streams.readiness()).toEqual({ ready: true })
  source.hand(0, 0, 1, [paint(0)])
  expect(await subscription.next()).toMatchObject({ value: { kind: 'event', value: { n: 0 } } })
})

test('once caught up, it stays ready while new records wait to be read', async () => {
  const source = new PlayedSource()
  source.ends_ = new Map([[0, 1]])
  const streams = play(source)
  streams.start()
  await turn()
  source.hand(0, 0, 1, [paint(0)])
  expect(streams.readiness().ready).toBe(true)
  void source.reader?.onBatch({ topic: 'paints', partition: 0, records: [], nextOffset: 1, endOffset: 900 })
  expect(streams.readiness().ready).toBe(true)
})

test('what is too old leaves the window also where no events come', async () => {
  const source = new PlayedSource()
  const streams = play(source, { limits: { maxBytes: 1_000_000, maxAgeMs: 30_000 } })
  streams.start()
  await turn()
  source.hand(0, 0, 1, [paint(0)])
  const { window } = streams.feed(paints)
  expect(window.nextSeq - window.firstSeq).toBe(1)
  await vi.advanceTimersByTimeAsync(41_000)
  expect(window.nextSeq - window.firstSeq).toBe(0)
})

test('a topic that is not served is asked for in vain', () => {
  const streams = play(new PlayedSource())
  expect(() => streams.feed({ ...paints, name: 'posters' })).toThrow('The topic "posters" is not among those')
})

test('a partition that is added later is read from its beginning', async () => {
  vi.useRealTimers()
  const embedded = createEmbeddedLog()
  embedded.createTopic('paints', 1)
  const streams = new Streams({ topics: [paints], source: embedded.source, limits: ROOMY, log: silentLog })
  onTestFinished(() => streams.close())
  streams.start()
  await until('it is ready', () => streams.readiness().ready)
  const subscription = streams.feed(paints).subscribe()
  embedded.addPartitions('paints', 3)
  await embedded.sink.send('paints', [{ key: null, value: JSON.stringify(paint(7)), partition: 2 }])
  expect(await subscription.next()).toMatchObject({ value: { partition: 2, offset: 0, value: { n: 7 } } })
  expect(streams.feed(paints).head).toEqual([0, 0, 1])
})

test('a topic that waits is named, and an optional one does not make the instance unready', async () => {
  const source = new PlayedSource()
  const extra = { ...paints, name: 'extra', isRequired: false }
  const streams = new Streams({ topics: [paints, extra], source, limits: ROOMY, log: silentLog })
  onTestFinished(() => streams.close())
  streams.start()
  await turn()
  expect(streams.readiness()).toEqual({ ready: true })
  source.reader?.onState({ kind: 'waiting', reason: 'Kafka does not know the topic' })
  const sentence = 'Topic "extra": Kafka does not know the topic'
  expect(streams.readiness()).toEqual({ ready: true, notes: [`${sentence} (optional)`] })
  expect(streams.readinessOf(extra)).toMatchObject({ ready: false, reason: sentence })
  expect(streams.readinessOf(paints)).toEqual({ ready: true })
})
