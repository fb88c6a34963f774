import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import type { Feed } from '../../../src/streams/feed/feed.ts'
import { batchOf, type Paint, paintFeed, ROOMY, recordOf } from '../../kit/feeds.ts'

/** Appends paints to partition 0 of a feed that has no holes. */
function paint(feed: Feed<Paint>, ...colors: string[]): Promise<void> | undefined {
  const offset = feed.head[0] as number
  return feed.onBatch(
    batchOf(
      0,
      colors.map((color, index) => recordOf(0, offset + index, { n: offset + index, color })),
    ),
  )
}

const retention = (from: number, to: number) =>
  ({ kind: 'gap', topic: 'paints', partition: 0, from, to, reason: 'retention' }) as const

test('a consumer that waits gets an event as it comes', async () => {
  const feed = paintFeed()
  const subscription = feed.subscribe()
  const next = subscription.next()
  void paint(feed, 'red')
  expect(await next).toMatchObject({ done: false, value: { kind: 'event', offset: 0, value: { n: 0, color: 'red' } } })
})

test('what was there before a subscription is none of its events', async () => {
  const feed = paintFeed()
  void paint(feed, 'red')
  const subscription = feed.subscribe()
  void paint(feed, 'blue')
  expect(await subscription.next()).toMatchObject({ value: { value: { color: 'blue' } } })
})

test('several calls of next at once are answered in order, and more than 100 are refused', async () => {
  const feed = paintFeed()
  const subscription = feed.subscribe()
  const calls = Array.from({ length: 100 }, () => subscription.next())
  await expect(subscription.next()).rejects.toThrow('Too many calls of next() at once')
  void paint(feed, ...new Array<string>(100).fill('red'))
  const offsets = (await Promise.all(calls)).map(({ value }) => (value?.kind === 'event' ? value.offset : undefined))
  expect(offsets).toEqual([...offsets.keys()])
})

test('after return the waiting calls end, later ones too, and the feed knows it no more', async () => {
  const feed = paintFeed()
  const subscription = feed.subscribe({ where: { color: 'red' } })
  const waiting = [subscription.next(), subscription.next()]
  expect(await subscription.return()).toEqual({ done: true, value: undefined })
  expect(await Promise.all(waiting)).toEqual([
    { done: true, value: undefined },
    { done: true, value: undefined },
  ])
  void paint(feed, 'red')
  expect(await subscription.next()).toEqual({ done: true, value: undefined })
  expect(await subscription.return()).toEqual({ done: true, value: undefined })
  expect(feed.interests).toBe(0)
})

test('what was unread when a subscription returns is not handed out', async () => {
  const feed = paintFeed()
  const subscription = feed.subscribe()
  void paint(feed, 'red', 'green')
  feed.onGap(retention(2, 5))
  await subscription.return()
  expect(await subscription.next()).toEqual({ done: true, value: undefined })
})

test('leaving a for await loop ends the subscription', async () => {
  const feed = paintFeed()
  const subscription = feed.subscribe()
  void paint(feed, 'red', 'green')
  for await (const item of subscription) {
    expect(item).toMatchObject({ offset: 0 })
    break
  }
  expect(feed.interests).toBe(0)
})

test('an abort ends a subscription, and no listener stays on the signal', async () => {
  const feed = paintFeed()
  const controller = new AbortController()
  const subscription = feed.subscribe({ signal: controller.signal })
  const other = feed.subscribe({ signal: controller.signal })
  await other.return()
  const waiting = subscription.next()
  controller.abort()
  expect(await waiting).toEqual({ done: true, value: undefined })
  expect(feed.interests).toBe(0)
  expect(getEventListeners(controller.signal, 'abort')).toEqual([])
})

test('a signal that was aborted before gives an ended subscription', async () => {
  const feed = paintFeed()
  const subscription = feed.subscribe({ signal: AbortSignal.abort() })
  void paint(feed, 'red')
  expect(await subscription.next()).toEqual({ done: true, value: undefined })
  expect(feed.interests).toBe(0)
})

test('gaps of a partition that nobody pulled are told as one', async () => {
  const feed = paintFeed()
  const subscription = feed.subscribe()
  feed.onGap(retention(0, 5))
  feed.onGap(retention(5, 9))
  expect(await subscription.next()).toMatchObject({ value: { kind: 'gap', from: 0, to: 9 } })
  void paint(feed, 'red')
  expect(await subscription.next()).toMatchObject({ value: { kind: 'event', offset: 9 } })
})

test('a consumer that waits hears of a gap at once, also if none of its events can be in it', async () => {
  const feed = paintFeed()
  const subscription = feed.subscribe({ where: { color: { in: [] } } })
  const next = subscription.next()
  feed.onGap(retention(0, 5))
  expect(await next).toMatchObject({ value: { kind: 'gap', from: 0, to: 5 } })
})

test('what fell off the window is a gap from the first event that was not taken', async () => {
  const feed = paintFeed({ limits: { maxBytes: 2000, maxAgeMs: 3600_000 } })
  const subscription = feed.subscribe({ where: { color: 'red' } })
  await paint(feed, 'blue', 'red', ...new Array<string>(50).fill('green'), 'red')
  expect(await subscription.next()).toMatchObject({
    value: { kind: 'gap', partition: 0, from: 1, to: feed.window.floor(0), reason: 'retention' },
  })
  expect(await subscription.next()).toMatchObject({ value: { offset: 52 } })
})

test('progress tells where the feed is, also if nothing matched, and only those who asked', async () => {
  const feed = paintFeed({ partitions: 2 })
  const asking = feed.subscribe({ where: { color: 'red' }, progress: true })
  const other = feed.subscribe({ where: { color: 'red' } })
  let told = false
  void other.next().then(() => {
    told = true
  })
  const next = asking.next()
  void paint(feed, 'blue', 'blue')
  expect(await next).toEqual({
    done: false,
    value: {
      kind: 'progress',
      topic: 'paints',
      positions: new Map([
        [0, 2],
        [1, 0],
      ]),
    },
  })
  expect(told).toBe(false)
})

test('progress comes after the events before it', async () => {
  const feed = paintFeed()
  const subscription = feed.subscribe({ progress: true })
  void paint(feed, 'red', 'blue')
  const kinds = []
  for (let count = 0; count < 3; count++) kinds.push((await subscription.next()).value?.kind)
  expect(kinds).toEqual(['event', 'event', 'progress'])
})

test('a consumer whose reading fails is told why, once, and its subscription has ended', async () => {
  const broken = (): never => {
    throw new Error('Broken')
  }
  // The window fails it at once, the log later.
  for (const breakIt of [
    (feed: Feed<Paint>) => {
      feed.window.at = broken
    },
    (feed: Feed<Paint>) => {
      feed.window.evict(Number.POSITIVE_INFINITY)
      feed.page = () => Promise.reject(new Error('Broken'))
    },
  ]) {
    const feed = paintFeed()
    void paint(feed, 'red', 'blue')
    const other = feed.subscribe()
    const reading = feed.subscribe({ from: feed.startAfter(feed.cursorAt([0])) })
    const told = other.next()
    breakIt(feed)
    await expect(reading.next()).rejects.toThrow('Broken')
    expect(await reading.next()).toEqual({ done: true, value: undefined })
    void paint(feed, 'red')
    expect((await told).value?.kind).toBe('event')
    expect(feed.interests).toBe(1)
  }
})

test('a consumer that fails to be told is told why when it asks next, unless it wants no more', async () => {
  const feed = paintFeed()
  for (const isLeaving of [false, true]) {
    const subscription = feed.subscribe()
    subscription.onEvent = () => {
      throw new Error('Broken')
    }
    void paint(feed, 'red')
    expect(feed.interests).toBe(0)
    if (isLeaving) await subscription.return()
    else await expect(subscription.next()).rejects.toThrow('Broken')
    expect(await subscription.next()).toEqual({ done: true, value: undefined })
  }
})

test('a filter that throws wants nothing, for its own subscription alone', async () => {
  const feed = paintFeed()
  const broken = feed.subscribe({
    filter: ({ color }) => {
      if (color === 'red') throw new Error('Broken')
      return true
    },
  })
  const sound = feed.subscribe()
  const waiting = [broken.next(), sound.next()]
  void paint(feed, 'red', 'blue')
  const [first, other] = await Promise.all(waiting)
  expect([first?.value, other?.value]).toMatchObject([{ offset: 1 }, { offset: 0 }])
})

test('consumers that never pull keep nothing but a position', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage: () => void = runInNewContext('gc')
  const feed = paintFeed({ limits: { ...ROOMY, maxBytes: 200_000 } })
  const idle = Array.from({ length: 100 }, () => feed.subscribe({ progress: true }))
  const fill = async () => {
    for (let count = 0; count < 50; count++) await paint(feed, ...new Array<string>(100).fill('red'))
    feed.onGap(retention(feed.head[0] as number, (feed.head[0] as number) + 1))
  }
  await fill()
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  for (let count = 0; count < 8; count++) await fill()
  collectGarbage()
  // 40,000 events went by; a queue of only one word for each and consumer would be 32 MB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(2_000_000)
  for (const subscription of idle) expect((await subscription.next()).value?.kind).toBe('gap')
})
