import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, onTestFinished, test } from 'vitest'
import type { Gap, StreamEvent } from '../../../src/streams/event.ts'
import { LogReader } from '../../../src/streams/feed/log-reader.ts'
import type { Page } from '../../../src/streams/feed/pages.ts'
import { Position } from '../../../src/streams/feed/position.ts'
import { createEmbeddedLog } from '../../../src/streams/source/embedded/embedded.ts'
import { Streams } from '../../../src/streams/streams.ts'
import { type Paint, paints } from '../../kit/feeds.ts'
import { silentLog } from '../../kit/log-lines.ts'
import { LaggingSource } from '../../kit/two-instances.ts'

/** A feed whose window holds some two events, over a log of which it has read what a test says. */
async function startFeed(partitions = 1) {
  const log = createEmbeddedLog()
  log.createTopic(paints.name, partitions)
  const source = new LaggingSource(log.source)
  const limits = { maxBytes: 500, maxAgeMs: 3600_000 }
  const streams = new Streams({ topics: [paints], source, epoch: log.epoch, limits, log: silentLog })
  streams.start()
  onTestFinished(() => streams.close())
  while (!streams.readiness().ready) await source.catchUp()
  let n = 0
  return {
    log,
    source,
    feed: streams.feed(paints),
    async append(partition: number, count: number) {
      const records = Array.from({ length: count }, () => {
        return { key: null, value: JSON.stringify({ n: ++n, color: 'red' }), partition }
      })
      await log.sink.send(paints.name, records)
    },
  }
}

/** All there is to read now. */
async function drain(reader: LogReader<Paint>): Promise<(StreamEvent<Paint> | Gap)[]> {
  const items: (StreamEvent<Paint> | Gap)[] = []
  for (;;) {
    const item = reader.next(() => true)
    if (item === undefined) return items
    if (item instanceof Promise) await item
    else items.push(item)
  }
}

const told = (items: readonly (StreamEvent<Paint> | Gap)[]) =>
  items.map((item) => (item.kind === 'gap' ? `${item.reason} ${item.from}-${item.to}` : item.value.n))

test('a reader goes from the log over to the window, each event once', async () => {
  const { feed, source, append } = await startFeed()
  const reader = new LogReader(feed)
  await append(0, 20)
  await source.catchUp()
  expect(feed.window.firstSeq).toBeGreaterThan(0)
  expect(told(await drain(reader))).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
  expect(reader.vector).toEqual([20])
  expect(reader.seq).toBe(feed.window.nextSeq)
  await append(0, 1)
  await source.catchUp()
  expect(told(await drain(reader))).toEqual([21])
})

test('a reader takes nothing from the log that its feed has not passed yet', async () => {
  const { feed, source, append } = await startFeed()
  const reader = new LogReader(feed)
  await append(0, 20)
  await source.advance(0, 12)
  expect(told(await drain(reader))).toEqual(Array.from({ length: 12 }, (_, i) => i + 1))
  expect(reader.vector).toEqual([12])
  expect(reader.isCovered).toBe(true)
})

test('a reader that has read one partition further than the order of the window has no place in it', async () => {
  const { feed, source, append } = await startFeed(2)
  const reader = new LogReader(feed)
  for (const [partition, count] of [
    [0, 4],
    [1, 1],
    [0, 1],
  ] as const) {
    await append(partition, count)
    await source.advance(partition, count)
  }
  // Of partition 0 it reads the log, and with that what the window has after the event of partition 1.
  const order: (number | string)[] = []
  for (let item = reader.next(() => true); item; item = reader.next(() => true)) {
    if (item instanceof Promise) {
      await item
      continue
    }
    order.push(...told([item]))
    expect(reader.seq).toBeLessThan(0)
  }
  expect(order).toEqual([1, 2, 3, 4, 6, 5])
  expect(reader.seq).toBe(feed.window.nextSeq)
})

test('what retention took is told once, and reading goes on from what is left', async () => {
  const { feed, source, log, append } = await startFeed()
  const reader = new LogReader(feed)
  await append(0, 20)
  await source.catchUp()
  log.deleteRecords(paints.name, 0, 10)
  expect(told(await drain(reader))).toEqual(['retention 0-10', 11, 12, 13, 14, 15, 16, 17, 18, 19, 20])
})

test('a cursor fits a feed that has read less: nothing comes twice, and nothing is left out', async () => {
  const { feed, source, append } = await startFeed(2)
  const cursor = feed.cursorAt([3, 1])
  await append(0, 5)
  await append(1, 4)
  await source.advance(0, 2)
  await source.advance(1, 4)
  const reader = new LogReader(feed, feed.startAfter(cursor))
  const first = told(await drain(reader))
  expect(first).toEqual([7, 8, 9])
  expect(reader.isCovered).toBe(false)
  expect(reader.vector[0]).toBe(3)
  await source.catchUp()
  expect(told(await drain(reader))).toEqual([4, 5])
  expect(reader.isCovered).toBe(true)
})

test('a start by time that the log told before it was truncated is told of that', async () => {
  const { feed, source, append } = await startFeed()
  await append(0, 5)
  await source.catchUp()
  const asked = feed.startSince(Date.now() + 60_000)
  feed.onGap({ kind: 'gap', topic: paints.name, partition: 0, from: 5, to: 3, reason: 'truncation' })
  const reader = new LogReader(feed, await asked)
  expect(told([reader.next() as Gap])).toEqual(['truncation 5-3'])
})

test('a cursor of another log is a gap of every partition in which it had read something', async () => {
  const { feed } = await startFeed(2)
  const before = feed.cursorAt([4, 0])
  const other = await startFeed(2)
  await other.append(0, 3)
  await other.source.catchUp()
  const reader = new LogReader(other.feed, other.feed.startAfter(before))
  expect(told(await drain(reader))).toEqual(['truncation 4-0', 1, 2, 3])
})

test('a position beyond the end of the log is found out when it is asked for, and not before', async () => {
  const { feed, source, append } = await startFeed()
  await append(0, 2)
  await source.catchUp()
  const reader = new LogReader(feed, feed.startAfter(feed.cursorAt([9])))
  expect(await drain(reader)).toEqual([])
  expect(reader.isCovered).toBe(false)
  await reader.checkEnds()
  expect(told(await drain(reader))).toEqual(['truncation 9-0', 1, 2])
  expect(reader.isCovered).toBe(true)
})

test('a partition that only the cursor knows is carried through', async () => {
  const { feed, source, append } = await startFeed()
  await append(0, 2)
  await source.catchUp()
  const reader = new LogReader(feed, feed.startAfter(feed.cursorAt([1, 7])))
  expect(told(await drain(reader))).toEqual([2])
  expect(reader.vector).toEqual([2, 7])
  expect(reader.isCovered).toBe(false)
})

test('a reader whose consumer stalls keeps no page of the log in memory, and reads on from where it was', async () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const { feed, source, append } = await startFeed()
  await append(0, 3000)
  await source.catchUp()
  const pages: WeakRef<Page<Paint>>[] = []
  const { page } = feed
  // As after many others have been read: the cache has let go of it.
  feed.page = async (...args) => {
    const found = await page.apply(feed, args)
    if (found?.kind !== 'page') return found
    const copy = { ...found }
    pages.push(new WeakRef(copy))
    return copy
  }
  const reader = new LogReader(feed, new Position(feed, [0]))
  const first: (StreamEvent<Paint> | Gap)[] = []
  while (first.length < 10) {
    const item = reader.next(() => true)
    if (item instanceof Promise) await item
    else if (item !== undefined) first.push(item)
  }
  await turn()
  collect()
  expect(pages.map((ref) => ref.deref())).toEqual([undefined])
  const rest = await drain(reader)
  expect(told([...first, ...rest])).toEqual(Array.from({ length: 3000 }, (_, i) => i + 1))
})
