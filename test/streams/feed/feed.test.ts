import { expect, test } from 'vitest'
import { decodeCursor } from '../../../src/streams/cursor/cursor.ts'
import { UNKNOWN } from '../../../src/streams/cursor/vector.ts'
import { Feed, type Interest } from '../../../src/streams/feed/feed.ts'
import { LogReader } from '../../../src/streams/feed/log-reader.ts'
import { Position } from '../../../src/streams/feed/position.ts'
import { batchOf, type Paint, paintFeed, paints, ROOMY, recordOf } from '../../kit/feeds.ts'
import { recordedLog, silentLog } from '../../kit/log-lines.ts'

const red = (offset: number, partition = 0) => recordOf(partition, offset, { n: offset, color: 'red' })

const rethrow = (error: unknown): void => {
  throw error
}

function listen(feed: Feed<Paint>, where = {}) {
  const heard: string[] = []
  const remove = feed.add(where, {
    onEvent: ({ partition, offset }, seq) => void heard.push(`${partition}:${offset} at ${seq}`),
    onGap: ({ partition, from, to }) => void heard.push(`gap ${partition}:${from}-${to}`),
    failed: rethrow,
  })
  return { heard, remove }
}

test('the cursor is the position after everything passed, poison and holes too', () => {
  const feed = paintFeed({ partitions: 2, epoch: 77 })
  expect(decodeCursor('paints', feed.cursor)).toMatchObject({ positions: [0, 0], epoch: 77 })
  void feed.onBatch(batchOf(1, [{ ...red(4, 1), timestamp: 1234 }, recordOf(1, 6, Buffer.from('poison'))], 9))
  expect(decodeCursor('paints', feed.cursor)).toMatchObject({ positions: [0, 9], epoch: 77 })
  feed.onGap({ kind: 'gap', topic: 'paints', partition: 0, from: 0, to: 5, reason: 'retention' })
  expect(decodeCursor('paints', feed.cursor).positions).toEqual([5, 9])
})

test('a cursor names as its fingerprint the event that was passed last, where its version can say it', () => {
  for (const cursorVersion of [1, 2]) {
    const feed = paintFeed({ partitions: 2, cursorVersion })
    const fingerprint = () => decodeCursor('paints', feed.cursor).fingerprint
    void feed.onBatch(batchOf(1, [{ ...red(4, 1), timestamp: 1234 }]))
    expect(fingerprint()).toEqual({ partition: 1, offset: 4, timestamp: 1234 })
    void feed.onBatch(batchOf(0, [], 7))
    expect(fingerprint()).toEqual({ partition: 1, offset: 4, timestamp: 1234 })
    void feed.onBatch(batchOf(1, [], 6))
    expect(fingerprint()).toEqual(cursorVersion === 1 ? undefined : { partition: 1, offset: 4, timestamp: 1234 })
    void feed.onBatch(batchOf(1, [{ ...red(6, 1), timestamp: 1235 }, recordOf(1, 7, Buffer.from('poison'))]))
    expect(fingerprint()).toEqual(cursorVersion === 1 ? undefined : { partition: 1, offset: 6, timestamp: 1235 })
    feed.onGap({ kind: 'gap', topic: 'paints', partition: 1, from: 8, to: 0, reason: 'truncation' })
    expect(fingerprint()).toBeUndefined()
  }
})

test('while an event is told, the cursor is the position right behind it', () => {
  const feed = paintFeed()
  const positions: (readonly number[])[] = []
  feed.add(
    {},
    {
      onEvent: () => void positions.push(decodeCursor('paints', feed.cursor).positions),
      onGap: () => {},
      failed: rethrow,
    },
  )
  void feed.onBatch(batchOf(0, [red(0), red(1), red(5)], 8))
  expect(positions).toEqual([[1], [2], [6]])
})

test('a cursor is encoded once, however many ask', () => {
  const feed = paintFeed()
  void feed.onBatch(batchOf(0, [red(0)]))
  expect(feed.cursor).toBe(feed.cursor)
  const before = feed.cursor
  void feed.onBatch(batchOf(0, [], 3))
  expect(feed.cursor).not.toBe(before)
})

test('a partition that appears later is read from 0, and those before it stay unknown', () => {
  const feed = paintFeed({ partitions: 1 })
  void feed.onBatch(batchOf(2, [red(0, 2)]))
  expect(feed.head).toEqual([0, UNKNOWN, 1])
  expect(decodeCursor('paints', feed.cursor).positions).toEqual([0, UNKNOWN, 1])
})

test('a reader behind the window is told of no gap in a partition that nobody has read', () => {
  const feed = paintFeed({ partitions: 1, limits: { ...ROOMY, maxBytes: 1000 } })
  void feed.onBatch(batchOf(2, [red(0, 2)]))
  const event = feed.window.at(0)
  if (!event) throw new Error('The window was to hold the event')
  const reader = new LogReader(feed, Position.before(feed, event, 0))
  void feed.onBatch(
    batchOf(
      2,
      Array.from({ length: 30 }, (_, index) => red(index + 1, 2)),
    ),
  )
  expect(reader.next(() => true)).toMatchObject({ kind: 'gap', partition: 2, from: 0 })
  expect(reader.next(() => true)).toMatchObject({ kind: 'event', partition: 2 })
  expect(reader.vector.slice(0, 2)).toEqual([0, UNKNOWN])
})

test('a reader names the position behind what it has read, not behind what the feed has', () => {
  const feed = paintFeed({ partitions: 2 })
  void feed.onBatch(batchOf(0, [red(0)]))
  const event = feed.window.at(0)
  if (!event) throw new Error('The window was to hold the event')
  const reader = new LogReader(feed, Position.before(feed, event, 0))
  void feed.onBatch(batchOf(1, [red(3, 1), red(4, 1)]))
  expect(reader.vector).toEqual([0, 0])
  void reader.next(() => true)
  expect(reader.vector).toEqual([1, 0])
  void reader.next(({ offset }) => offset === 4)
  expect(reader.vector).toEqual([1, 5])
  expect(reader.next(() => true)).toBeUndefined()
})

test('a feed is behind until it has passed what there was when it began, empty batches included', () => {
  const feed = new Feed(paints, { limits: ROOMY, log: silentLog })
  expect(feed.behind).toBe(Number.POSITIVE_INFINITY)
  feed.begin(
    [
      { partition: 0, earliest: 2, next: 10 },
      { partition: 1, earliest: 0, next: 0 },
    ],
    new Map([
      [0, 5],
      [1, 0],
    ]),
  )
  expect([feed.behind, feed.head, feed.ends]).toEqual([5, [5, 0], [10, 0]])
  void feed.onBatch({ ...batchOf(0, [red(5)], 7), endOffset: 12 })
  expect([feed.behind, feed.ends]).toEqual([3, [12, 0]])
  void feed.onBatch({ ...batchOf(0, [], 10), endOffset: 12 })
  expect(feed.behind).toBe(0)
})

test('interests hear what they asked for, until they leave', () => {
  const feed = paintFeed({ partitions: 2 })
  const all = listen(feed)
  const blue = listen(feed, { color: 'blue' })
  void feed.onBatch(batchOf(0, [red(0), recordOf(0, 1, { n: 1, color: 'blue' })]))
  feed.onGap({ kind: 'gap', topic: 'paints', partition: 1, from: 0, to: 4, reason: 'retention' })
  expect(feed.interests).toBe(2)
  blue.remove()
  blue.remove()
  expect(feed.interests).toBe(1)
  void feed.onBatch(batchOf(0, [recordOf(0, 2, { n: 2, color: 'blue' })]))
  expect(all.heard).toEqual(['0:0 at 0', '0:1 at 1', 'gap 1:0-4', '0:2 at 2'])
  expect(blue.heard).toEqual(['0:1 at 1', 'gap 1:0-4'])
})

test('an interest may leave while it is told', () => {
  const feed = paintFeed()
  const heard: number[] = []
  const leaving: Interest<Paint> = {
    onEvent({ offset }) {
      heard.push(offset)
      remove()
    },
    onGap: () => {},
    failed: rethrow,
  }
  const remove = feed.add({ color: 'red' }, leaving)
  const other = listen(feed, { color: 'red' })
  void feed.onBatch(batchOf(0, [red(0), red(1)]))
  expect(heard).toEqual([0])
  expect(other.heard).toHaveLength(2)
})

test('an interest that fails at an event, a gap or progress is told so once, where it was, and then no more', () => {
  const { log, lines } = recordedLog()
  for (const [broken, place] of [
    ['onEvent', '0:1'],
    ['onGap', '1:3'],
    ['onProgress', '0:2'],
  ] as const) {
    const feed = paintFeed({ partitions: 2, log })
    const heard: string[] = []
    const other = listen(feed)
    feed.add(
      {},
      {
        onEvent: ({ offset }) => take('onEvent', offset === 1),
        onGap: () => take('onGap', true),
        onProgress: () => take('onProgress', true),
        failed(_error, { partition, offset }) {
          heard.push(`failed at ${partition}:${offset}`)
          throw new Error('It cannot even fail')
        },
      },
    )
    const take = (call: string, isDue: boolean): void => {
      heard.push(call)
      if (call === broken && isDue) throw new Error('Broken')
    }
    if (broken === 'onGap')
      feed.onGap({ kind: 'gap', topic: 'paints', partition: 1, from: 3, to: 4, reason: 'retention' })
    void feed.onBatch(batchOf(0, [red(0), red(1)]))
    void feed.onBatch(batchOf(0, [red(2)]))
    expect(heard.filter((each) => each.startsWith('failed'))).toEqual([`failed at ${place}`])
    expect(heard.at(-1)).toBe(`failed at ${place}`)
    expect(feed.interests).toBe(1)
    expect(other.heard.filter((each) => !each.startsWith('gap'))).toEqual(['0:0 at 0', '0:1 at 1', '0:2 at 2'])
  }
  expect(lines.filter(({ msg }) => msg === 'A subscriber that failed could not be ended')).toHaveLength(3)
})
