import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import type { EventRecord, RawRecord } from '../../../src/streams/event.ts'
import { Feed } from '../../../src/streams/feed/feed.ts'
import { createEmbeddedLog } from '../../../src/streams/source/embedded/embedded.ts'
import type { IndexedValue } from '../../../src/streams/topic/indexed.ts'
import { defineTopic, type Topic } from '../../../src/streams/topic/topic.ts'
import { batchOf, ROOMY, recordOf } from '../../kit/feeds.ts'
import { recordedLog, silentLog } from '../../kit/log-lines.ts'
import { until } from '../../kit/until.ts'

const Payment = z.object({ n: z.int(), merchant: z.object({ id: z.string() }).nullable() })
type Payment = z.output<typeof Payment>

afterEach(() => void vi.useRealTimers())

const boom = (): never => {
  throw new Error('boom')
}

function feedOf<V, I>(topic: Topic<V, I>, log = silentLog): Feed<V, I> {
  const feed = new Feed<V, I>(topic, { limits: ROOMY, log })
  feed.begin([{ partition: 0, earliest: 0, next: 0 }], new Map([[0, 0]]))
  return feed
}

function paymentOf(n: number, merchant: string | null = 'm_1', more: Partial<RawRecord> = {}): RawRecord {
  return { ...recordOf(0, n, { n, merchant: merchant === null ? null : { id: merchant } }), ...more }
}

/** The numbers of the events that a `where` selects, as the index finds them. */
function listen(feed: Feed<Payment, unknown>, where: object): number[] {
  const told: number[] = []
  feed.add(where, { onEvent: ({ value }) => void told.push(value.n), onGap: boom, failed: boom })
  return told
}

/** The numbers of the events that a `where` selects of the past, as a scan finds them. */
async function pastOf<I>(feed: Feed<Payment, I>, where: object): Promise<number[]> {
  const subscription = feed.subscribe({
    where: where as never,
    from: feed.startAfter(feed.cursorAt([0])),
    progress: true,
  })
  void feed.onBatch(batchOf(0, [recordOf(0, feed.head[0] as number, Buffer.from('poison'))]))
  const told: number[] = []
  for await (const item of subscription) {
    if (item.kind === 'progress') break
    if (item.kind === 'event') told.push(item.value.n)
  }
  return told
}

test('a nested property, the key and a header are looked up, live and in the past', async () => {
  const topic = defineTopic('payments', {
    schema: Payment,
    index: {
      merchantId: ({ merchant }) => merchant?.id,
      key: (_payment, { key }) => key,
      source: (_payment, { headers }) => headers.source,
      isOdd: (_payment, { offset }) => offset % 2 === 1,
    },
  })
  const feed = feedOf(topic)
  const wheres = [
    { merchantId: 'm_2' },
    { merchantId: { in: [undefined, 'm_2'] } },
    { key: 'k' },
    { key: null, isOdd: true },
    { source: 'till', merchantId: { in: ['m_1', 'm_2'] } },
    { isOdd: { in: [] } },
  ]
  const live = wheres.map((where) => listen(feed, where))
  const headers = { source: Buffer.from('till') }
  void feed.onBatch(
    batchOf(0, [
      paymentOf(0, 'm_1', { key: Buffer.from('k') }),
      paymentOf(1, 'm_2', { headers }),
      paymentOf(2, null, { headers, key: Buffer.from('k') }),
      paymentOf(3, 'm_1', { headers }),
    ]),
  )
  const expected = [[1], [1, 2], [0, 2], [1, 3], [1, 3], []]
  expect(live).toEqual(expected)
  for (const [index, where] of wheres.entries())
    expect(await pastOf(feed, where), JSON.stringify(where)).toEqual(expected[index])
})

test.each<[how: string, index: () => IndexedValue, error: string]>([
  ['throws', boom, 'boom'],
  ['returns an object', () => ({}) as never, 'The index function "merchantId" returned a value of type object'],
  ['returns a list', () => ['m_1'] as never, 'returned a value of type object'],
  ['returns a bigint', () => 1n as never, 'returned a value of type bigint'],
  ['returns a function', () => boom as never, 'returned a value of type function'],
  ['returns a promise', async () => 'm_1' as never, 'returned a value of type object'],
  ['returns a promise that rejects', async () => boom(), 'returned a value of type object'],
] as never)(
  'an event for which a function %s is found by no value of it, and by all others',
  async (_how, index, error) => {
    const { log, lines } = recordedLog()
    const topic = defineTopic('payments', {
      schema: Payment,
      index: { merchantId: (payment) => (payment.n === 1 ? index() : payment.merchant?.id), n: ({ n }) => n },
    })
    const feed = feedOf(topic, log)
    const wheres = [{ merchantId: 'm_1' }, { merchantId: { in: [undefined, null, 'm_1'] } }, { n: 1 }, {}]
    const live = wheres.map((where) => listen(feed, where))
    void feed.onBatch(batchOf(0, [paymentOf(0), paymentOf(1), paymentOf(2)]))
    const expected = [[0, 2], [0, 2], [1], [0, 1, 2]]
    expect(live).toEqual(expected)
    for (const [each, where] of wheres.entries()) expect(await pastOf(feed, where)).toEqual(expected[each])
    expect(feed.faults.count).toBe(1)
    const [line] = lines
    expect(line).toMatchObject({
      msg: 'The index function "merchantId" failed',
      topic: 'payments',
      partition: 0,
      offset: 1,
    })
    expect(line).toHaveProperty('err.message', expect.stringContaining(error))
  },
)

test('a function that fails for every event is counted for each, and logged once in ten seconds', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const { log, lines } = recordedLog()
  const topic = defineTopic('payments', { schema: Payment, index: { a: boom, b: boom, n: ({ n }) => n } })
  const feed = feedOf(topic, log)
  const told = listen(feed, { n: 999 })
  await feed.onBatch(
    batchOf(
      0,
      Array.from({ length: 1000 }, (_, n) => paymentOf(n)),
    ),
  )
  expect(told).toEqual([999])
  expect([feed.faults.count, feed.events]).toEqual([2000, 1000])
  expect(lines.map(({ msg }) => msg)).toEqual(['The index function "a" failed', 'The index function "b" failed'])
  vi.advanceTimersByTime(10_000)
  await feed.onBatch(batchOf(0, [paymentOf(1000)]))
  expect(lines.slice(2)).toMatchObject([{ unlogged: 999 }, { unlogged: 999 }])
})

test('a function is called once for an event, whoever asks, so that one that is not pure tells all the same', async () => {
  let calls = 0
  const topic = defineTopic('payments', { schema: Payment, index: { call: () => ++calls, n: ({ n }) => n } })
  const feed = feedOf(topic)
  const live = [{ call: 2 }, { call: 2, n: 1 }, { call: { in: [1, 2, 3] } }].map((where) => listen(feed, where))
  void feed.onBatch(batchOf(0, [paymentOf(0), paymentOf(1), paymentOf(2)]))
  expect(live).toEqual([[1], [1], [0, 1, 2]])
  for (let time = 0; time < 3; time++) expect(await pastOf(feed, { call: 2 })).toEqual([1])
  expect(calls).toBe(3)
})

test('what a subscriber changes in the value is found as before', async () => {
  const topic = defineTopic('payments', { schema: Payment, index: { merchantId: ({ merchant }) => merchant?.id } })
  const feed = feedOf(topic)
  feed.add({}, { onEvent: ({ value }) => void Object.assign(value, { merchant: null }), onGap: boom, failed: boom })
  void feed.onBatch(batchOf(0, [paymentOf(0), paymentOf(1, 'm_2')]))
  expect(await pastOf(feed, { merchantId: 'm_2' })).toEqual([1])
})

test('a function gets the event that is validated, and its record', () => {
  const given: [unknown, Partial<EventRecord>][] = []
  const topic = defineTopic('payments', {
    schema: Payment.transform(({ n }) => ({ double: 2 * n })),
    index: {
      double(value, { key, headers, timestamp, partition, offset }) {
        given.push([value, { key, headers, timestamp, partition, offset }])
        return value.double
      },
    },
  })
  const feed = feedOf(topic)
  const told: unknown[] = []
  feed.add({ double: 14 }, { onEvent: ({ value }) => void told.push(value), onGap: boom, failed: boom })
  void feed.onBatch(batchOf(0, [paymentOf(7, 'm_1', { key: Buffer.from('k'), timestamp: 1234 })]))
  expect(told).toEqual([{ double: 14 }])
  expect(given).toEqual([[{ double: 14 }, { key: 'k', headers: {}, timestamp: 1234, partition: 0, offset: 7 }]])
})

test('the past that is read from the log is found by its functions too, and a failure is not counted again', async () => {
  const topic = defineTopic('payments', {
    schema: Payment,
    index: { merchantId: ({ merchant }) => merchant?.id ?? boom() },
  })
  const embedded = createEmbeddedLog()
  onTestFinished(() => embedded.close())
  embedded.createTopic('payments', 1)
  const records = [null, 'm_1', 'm_2', 'm_1'].map((id, n) => ({
    key: null,
    value: JSON.stringify({ n, merchant: id === null ? null : { id } }),
    partition: 0,
  }))
  await embedded.sink.send('payments', records)
  const feed = new Feed(topic, { limits: ROOMY, log: silentLog, source: embedded.source })
  feed.begin([{ partition: 0, earliest: 0, next: 4 }], new Map([[0, 4]]))
  const subscription = feed.subscribe({ where: { merchantId: 'm_1' } as never, from: await feed.startSince(0) })
  for (const n of [1, 3]) expect((await subscription.next()).value).toMatchObject({ kind: 'event', value: { n } })
  await subscription.return()
  await until('nobody is left', () => feed.interests === 0)
  expect([feed.faults.count, feed.window.nextSeq]).toEqual([0, 0])
})
