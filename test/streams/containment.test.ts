import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import type { Positions } from '../../src/streams/event.ts'
import { Feed } from '../../src/streams/feed/feed.ts'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import type { Reader, Sink, Source } from '../../src/streams/source/port.ts'
import { Streams } from '../../src/streams/streams.ts'
import { defineTopic } from '../../src/streams/topic/topic.ts'
import { batchOf, paintFeed, paints, ROOMY, recordOf } from '../kit/feeds.ts'
import { recordedLog, silentLog } from '../kit/log-lines.ts'
import { until } from '../kit/until.ts'

/** Whatever throws ends one thing at most. That nothing goes unhandled is seen by the test runner, which would fail. */
afterEach(() => void vi.useRealTimers())

const red = (offset: number) => recordOf(0, offset, { n: offset, color: 'red' })
const boom = (): never => {
  throw new Error('boom')
}

test('a subscriber that throws is told so, once, and costs the others nothing', () => {
  const { log, lines } = recordedLog()
  const feed = paintFeed({ log })
  const told: number[] = []
  let failures = 0
  feed.add({}, { onEvent: boom, onGap: boom, onProgress: boom, failed: () => void failures++ })
  feed.add({}, { onEvent: boom, onGap: boom, failed: boom })
  feed.add({}, { onEvent: ({ offset }) => void told.push(offset), onGap: ({ to }) => void told.push(to), failed: boom })
  void feed.onBatch(batchOf(0, [red(0), red(1)]))
  feed.onGap({ kind: 'gap', topic: 'paints', partition: 0, from: 2, to: 5, reason: 'retention' })
  expect(told).toEqual([0, 1, 5])
  expect([failures, feed.interests]).toEqual([1, 1])
  // The one that could not even be told.
  expect(feed.faults.count).toBe(1)
  expect(lines).toMatchObject([
    { msg: 'A subscriber that failed could not be ended', topic: 'paints', partition: 0, offset: 0 },
    { msg: 'Records are gone that were still to be read' },
  ])
})

test('a record that fails beyond its decoding is passed and told by its place, and those after it are events', () => {
  const { log, lines } = recordedLog()
  const trap = z.object({ n: z.number() }).transform(({ n }) => ({
    get n() {
      return n === 1 ? boom() : n
    },
  }))
  const feed = new Feed(defineTopic('traps', { schema: trap }), { limits: ROOMY, log })
  feed.begin([{ partition: 0, earliest: 0, next: 0 }], new Map([[0, 0]]))
  void feed.onBatch(batchOf(0, [red(0), red(1), red(2)]))
  expect(feed.head).toEqual([3])
  expect(feed.window.nextSeq).toBe(2)
  expect(lines.find(({ msg }) => msg === 'A record could not be taken')).toMatchObject({
    topic: 'traps',
    partition: 0,
    offset: 1,
  })
})

test('a subscription that cannot read the past ends with the reason, once, and then is done', async () => {
  const { log, lines } = recordedLog()
  const embedded = createEmbeddedLog()
  onTestFinished(() => embedded.close())
  embedded.createTopic('paints', 1)
  await embedded.sink.send('paints', [{ key: null, value: '{"n":0,"color":"red"}', partition: 0 }])
  const source: Source = { ...embedded.source, fetch: async () => boom() }
  const feed = new Feed(paints, { limits: ROOMY, log, source })
  feed.begin([{ partition: 0, earliest: 0, next: 1 }], new Map([[0, 1]]))
  const waiting = feed.subscribe({ from: await feed.startSince(0) })
  await expect(waiting.next()).rejects.toThrow('boom')
  expect(await waiting.next()).toEqual({ done: true, value: undefined })
  expect(feed.interests).toBe(0)
  expect(feed.faults.count).toBe(1)
  expect(lines.find(({ msg }) => msg === 'A subscription failed')).toMatchObject({ topic: 'paints', level: 50 })
})

test('a subscription that fails while nobody asks says so to the next who does', async () => {
  const feed = paintFeed()
  const subscription = feed.subscribe()
  subscription.failed(new Error('boom'))
  await expect(subscription.next()).rejects.toThrow('boom')
  expect((await subscription.next()).done).toBe(true)
})

test('a subscription that fails at the check of an end beyond the log ends alone', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  const feed = paintFeed()
  const ahead = feed.startAfter(feed.cursorAt([7]))
  const subscription = feed.subscribe({ from: ahead })
  const next = subscription.next()
  vi.spyOn(feed, 'ranges').mockResolvedValue([{ partition: 0, earliest: 0, next: 7 }])
  vi.spyOn(ahead, 'next').mockImplementation(boom)
  vi.advanceTimersByTime(5_000)
  await expect(next).rejects.toThrow('boom')
})

test('a sink that throws at once costs the letter', () => {
  const sink = { send: boom, close: async () => {} } as unknown as Sink
  const topic = defineTopic('watched', { schema: z.object({}), deadLetterTopic: 'dead' })
  const feed = new Feed(topic, { limits: ROOMY, log: silentLog, sink })
  feed.begin([{ partition: 0, earliest: 0, next: 0 }], new Map([[0, 0]]))
  void feed.onBatch(batchOf(0, [recordOf(0, 0, Buffer.from('?')), recordOf(0, 1, {})]))
  expect(feed.events).toBe(1)
  expect(feed.poison.deadLetters.dropped).toBe(1)
})

/** A source whose reader the test plays. */
function playedSource() {
  const reads: { from: Positions; reader: Reader; fail: (error?: Error) => void }[] = []
  const source: Source = {
    ranges: async () => [{ partition: 0, earliest: 0, next: 0 }],
    offsetsAt: async () => new Map([[0, 0]]),
    ends: async () => new Map([[0, 0]]),
    fetch: async () => boom(),
    close: async () => {},
    read(_topic, from, reader, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      signal.addEventListener('abort', () => resolve())
      reads.push({ from, reader, fail: (error) => (error ? reject(error) : resolve()) })
      reader.onState({ kind: 'reading' })
      return promise
    },
  }
  return { source, reads }
}

test('a reader that fails is replaced by one that goes on where it was, and the instance is not ready meanwhile', async () => {
  const { log, lines } = recordedLog()
  const { source, reads } = playedSource()
  const streams = new Streams({ topics: [paints], source, limits: ROOMY, log })
  onTestFinished(() => streams.close())
  streams.start()
  await until('it reads', () => reads.length === 1)
  await reads[0]?.reader.onBatch(batchOf(0, [red(0), red(1)]))
  expect(streams.readiness().ready).toBe(true)
  reads[0]?.fail(new Error('boom'))
  await until('it is not ready', () => !streams.readiness().ready)
  expect(streams.readiness()).toMatchObject({ reason: 'Topic "paints": The reader failed: boom' })
  await until('it reads again', () => reads.length === 2)
  expect(reads[1]?.from).toEqual(new Map([[0, 2]]))
  expect(streams.readiness().ready).toBe(true)
  expect(streams.feed(paints).faults.count).toBe(1)
  expect(lines.some(({ msg }) => msg === 'The reader made a mistake, and goes on')).toBe(true)
  // One that ends by itself is none the better.
  reads[1]?.fail()
  await until('it reads once more', () => reads.length === 3)
})

test('a window that cannot let go of old events stops no timer, and a feed that fails at a batch no reader', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const { log, lines } = recordedLog()
  const { source, reads } = playedSource()
  const streams = new Streams({ topics: [paints], source, limits: ROOMY, log })
  onTestFinished(() => streams.close())
  streams.start()
  await until('it reads', () => reads.length === 1)
  const feed = streams.feed(paints)
  vi.spyOn(feed.window, 'evicting').mockImplementation(boom)
  vi.advanceTimersByTime(10_000)
  await until('it is told', () => feed.faults.count === 1)
  const onBatch = vi.spyOn(feed, 'onBatch').mockImplementationOnce(boom)
  onBatch.mockImplementationOnce(async () => boom())
  vi.spyOn(feed, 'onGap').mockImplementation(boom)
  for (let i = 0; i < 2; i++) await reads[0]?.reader.onBatch(batchOf(0, [red(0)]))
  reads[0]?.reader.onGap({ kind: 'gap', topic: 'paints', partition: 0, from: 0, to: 1, reason: 'retention' })
  await reads[0]?.reader.onBatch(batchOf(0, [red(1)]))
  expect(feed.faults.count).toBe(4)
  expect(feed.head).toEqual([2])
  expect(lines.map(({ msg }) => msg)).toEqual(
    expect.arrayContaining([
      'A window could not let go of old events',
      'A batch could not be taken',
      'A gap could not be taken',
    ]),
  )
})
