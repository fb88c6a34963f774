import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Gap, RawRecord } from '../../src/streams/event.ts'
import { WantedOffsets } from '../../src/streams/kafka-positions.ts'
import { type ConsumerEvents, readForever } from '../../src/streams/kafka-reader.ts'
import { type Batch, type PartitionRange, type ReaderState, SourceUnavailable } from '../../src/streams/port.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A reader of topic `orders` from offset 10 of partition 0, whose consumers the test plays itself. */
function reading(rangesOf: () => Promise<PartitionRange[]> = async () => []) {
  const stopping = new AbortController()
  const batches: Batch[] = []
  const gaps: Gap[] = []
  const states: ReaderState[] = []
  const consumers: { events: ConsumerEvents; done: string[] }[] = []
  const done = readForever({
    wanted: new WantedOffsets(new Map([['orders', new Map([[0, 10]])]])),
    reader: {
      onBatch: (batch) => void batches.push(batch),
      onGap: (gap) => void gaps.push(gap),
      onState: (state) => void states.push(state),
    },
    signal: stopping.signal,
    start: (_topics, events) => {
      const done: string[] = []
      consumers.push({ events, done })
      return {
        seek: (_topic, partition, offset) => void done.push(`seek ${partition} ${offset}`),
        pause: (_topic, partition) => void done.push(`pause ${partition}`),
        resume: (_topic, partition) => void done.push(`resume ${partition}`),
        stop: async () => void done.push('stop'),
      }
    },
    rangesOf,
    warn: () => {},
  })
  const consumer = () => consumers.at(-1) as (typeof consumers)[number]
  return { batches, gaps, states, consumers, consumer, stop: () => stopping.abort(), done }
}

const fetched = (fetchedOffset: number, count: number, more: { outOfRange?: boolean } = {}) => ({
  topic: 'orders',
  partition: 0,
  fetchedOffset,
  nextOffset: fetchedOffset + count,
  endOffset: 100,
  outOfRange: false,
  records: () => Array.from({ length: count }, () => ({}) as RawRecord),
  ...more,
})

test('every join brings every partition to its wanted offset, the first as well as the tenth', async () => {
  const { consumer, stop, done } = reading()
  const { events, done: did } = consumer()
  events.joined({ orders: [0, 1] })
  expect(did).toEqual(['seek 0 10', 'seek 1 0'])
  expect(events.batch(fetched(10, 5))).toBe(true)
  events.joined({ orders: [0, 1] })
  expect(did.slice(2)).toEqual(['seek 0 15', 'seek 1 0'])
  stop()
  await done
})

test('what was fetched from elsewhere is not delivered, but fetched again', async () => {
  const { consumer, batches, stop, done } = reading()
  const { events, done: did } = consumer()
  events.joined({ orders: [0] })
  expect(events.batch(fetched(50, 5))).toBe(false)
  expect(events.batch(fetched(0, 5))).toBe(false)
  expect(batches).toEqual([])
  expect(did).toEqual(['seek 0 10', 'seek 0 10', 'seek 0 10'])
  stop()
  await done
})

test('a consumer that crashes is replaced by one that starts where it was, and is not listened to any more', async () => {
  const { consumers, consumer, batches, states, stop, done } = reading()
  const first = consumer()
  first.events.joined({ orders: [0] })
  first.events.batch(fetched(10, 5))
  first.events.crashed(new Error('no broker'))
  await vi.advanceTimersByTimeAsync(2_000)
  expect(consumers.length).toBe(2)
  expect(first.done.at(-1)).toBe('stop')
  expect(states.at(-1)).toEqual({ kind: 'waiting', reason: 'no broker' })
  expect(first.events.batch(fetched(15, 5))).toBe(false)
  consumer().events.joined({ orders: [0] })
  expect(consumer().done).toEqual(['seek 0 15'])
  expect(batches.length).toBe(1)
  stop()
  await done
})

test('a consumer that is asked for nothing but errors keeps trying, at most 2 s apart', async () => {
  const { consumers, consumer, stop, done } = reading()
  for (let i = 0; i < 20; i++) {
    const before = consumers.length
    consumer().events.crashed(new Error('no broker'))
    await vi.advanceTimersByTimeAsync(2_000)
    expect(consumers.length).toBe(before + 1)
  }
  stop()
  await done
})

test('a consumer without a fetch that succeeds is noticed after 5 s, and replaced after 30 s', async () => {
  const { consumers, consumer, states, stop, done } = reading()
  const { events } = consumer()
  events.joined({ orders: [0] })
  events.fetchBegan('1')
  events.fetchEnded('1')
  expect(states.at(-1)).toEqual({ kind: 'reading' })
  events.fetchBegan('1')
  events.fetchFailed(new Error('request timed out'))
  events.fetchEnded('1')
  await vi.advanceTimersByTimeAsync(7_000)
  const reason = 'Kafka has answered no fetch for more than 5 s: request timed out'
  expect(states.at(-1)).toEqual({ kind: 'waiting', reason })
  expect(consumers.length).toBe(1)
  await vi.advanceTimersByTimeAsync(26_000)
  expect(consumers.length).toBe(2)
  stop()
  await done
})

test('an offset that retention took is a gap at once, with its partition paused meanwhile', async () => {
  const { consumer, gaps, stop, done } = reading(async () => [{ partition: 0, earliest: 40, next: 60 }])
  const { events, done: did } = consumer()
  events.joined({ orders: [0] })
  expect(events.batch(fetched(10, 0, { outOfRange: true }))).toBe(false)
  await vi.advanceTimersByTimeAsync(0)
  expect(gaps).toEqual([{ kind: 'gap', topic: 'orders', partition: 0, from: 10, to: 40, reason: 'retention' }])
  expect(did).toEqual(['seek 0 10', 'pause 0', 'seek 0 40', 'resume 0'])
  stop()
  await done
})

test('a log that has not caught up after a failover is no gap', async () => {
  let next = 5
  const { consumer, gaps, stop, done } = reading(async () => [{ partition: 0, earliest: 0, next }])
  const { events, done: did } = consumer()
  events.joined({ orders: [0] })
  events.batch(fetched(10, 0, { outOfRange: true }))
  await vi.advanceTimersByTimeAsync(1_500)
  next = 10
  await vi.advanceTimersByTimeAsync(5_000)
  expect(gaps).toEqual([])
  expect(did.slice(-2)).toEqual(['seek 0 10', 'resume 0'])
  stop()
  await done
})

test('what a partition holds is asked for until it is known', async () => {
  let tries = 0
  const { consumer, gaps, stop, done } = reading(async () => {
    if (++tries < 4) throw new SourceUnavailable('not now')
    return [{ partition: 0, earliest: 20, next: 30 }]
  })
  consumer().events.joined({ orders: [0] })
  consumer().events.batch(fetched(10, 0, { outOfRange: true }))
  await vi.advanceTimersByTimeAsync(10_000)
  expect(gaps.map(({ to }) => to)).toEqual([20])
  stop()
  await done
})

test('a stopped reader resolves when its consumers have stopped, and takes nothing more', async () => {
  const { consumer, batches, states, stop, done } = reading()
  const { events, done: did } = consumer()
  events.joined({ orders: [0] })
  const told = states.length
  stop()
  await done
  expect(did.at(-1)).toBe('stop')
  expect(events.batch(fetched(10, 5))).toBe(false)
  events.fetchBegan('1')
  events.fetchEnded('1')
  events.joined({ orders: [0, 1] })
  expect(batches).toEqual([])
  expect(states.length).toBe(told)
})
