import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Gap, Positions, RawRecord } from '../../../../src/streams/event.ts'
import { type ConsumerEvents, readForever } from '../../../../src/streams/source/kafka/reader.ts'
import { WantedOffsets } from '../../../../src/streams/source/kafka/wanted-offsets.ts'
import {
  type Batch,
  type FetchedRecords,
  type PartitionRange,
  type ReaderState,
  SourceUnavailable,
} from '../../../../src/streams/source/port.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

interface PlayedLog {
  readonly rangesOf?: () => Promise<PartitionRange[]>
  readonly fetch?: (partition: number, offset: number) => Promise<FetchedRecords>
  readonly from?: Positions
  /** What taking a batch is to be waited for, or fails with. */
  readonly onBatch?: (batch: Batch) => Promise<void> | undefined
}

/** A reader of topic `orders`, as a rule from offset 10 of partition 0, whose consumers the test plays itself. */
function reading({ rangesOf = async () => [], fetch, from = new Map([[0, 10]]), onBatch }: PlayedLog = {}) {
  const stopping = new AbortController()
  const batches: Batch[] = []
  const gaps: Gap[] = []
  const states: ReaderState[] = []
  const faults: unknown[] = []
  const fetches: string[] = []
  const consumers: { events: ConsumerEvents; done: string[] }[] = []
  const done = readForever({
    wanted: new WantedOffsets(new Map([['orders', from]])),
    reader: {
      onBatch: (batch) => {
        batches.push(batch)
        return onBatch?.(batch)
      },
      onGap: (gap) => void gaps.push(gap),
      onState: (state) => void states.push(state),
      onFault: (_error, place) => void faults.push(place && { topic: place.topic, partition: place.partition }),
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
    fetch: async (_topic, partition, offset, _maxBytes, { aborted }) => {
      if (!fetch || aborted) throw new SourceUnavailable('nobody is to ask this')
      fetches.push(`${partition}:${offset}`)
      return fetch(partition, offset)
    },
    warn: () => {},
  })
  const consumer = () => consumers.at(-1) as (typeof consumers)[number]
  return { batches, gaps, states, faults, fetches, consumers, consumer, stop: () => stopping.abort(), done }
}

/** The timestamp of a record in the log that the tests begin with. */
const timeOf = (offset: number) => 1_000 + offset

const recordAt = (partition: number, offset: number, timestamp = timeOf(offset)): RawRecord => ({
  partition,
  offset,
  timestamp,
  key: null,
  value: null,
  headers: undefined,
})

/** `count` offsets, with a record each, from that one on. */
const fetched = (fetchedOffset: number, count: number, more: { outOfRange?: boolean; partition?: number } = {}) => ({
  topic: 'orders',
  partition: 0,
  fetchedOffset,
  nextOffset: fetchedOffset + count,
  endOffset: 100,
  outOfRange: false,
  records: () => Array.from({ length: count }, (_, i) => recordAt(more.partition ?? 0, fetchedOffset + i)),
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
  void first.events.batch(fetched(10, 5))
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
  const { consumer, gaps, stop, done } = reading({ rangesOf: async () => [{ partition: 0, earliest: 40, next: 60 }] })
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
  const { consumer, gaps, stop, done } = reading({ rangesOf: async () => [{ partition: 0, earliest: 0, next }] })
  const { events, done: did } = consumer()
  events.joined({ orders: [0] })
  void events.batch(fetched(10, 0, { outOfRange: true }))
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
  const rangesOf = async () => {
    if (++tries < 4) throw new SourceUnavailable('not now')
    return [{ partition: 0, earliest: 20, next: 30 }]
  }
  const { consumer, gaps, stop, done } = reading({ rangesOf })
  consumer().events.joined({ orders: [0] })
  void consumer().events.batch(fetched(10, 0, { outOfRange: true }))
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

/** What the log has from that offset on, up to 99; with other timestamps, it is another log. */
const fetchedFrom = (partition: number, offset: number, later = 0): FetchedRecords => {
  const records = Array.from({ length: 100 - offset }, (_, i) =>
    recordAt(partition, offset + i, timeOf(offset + i) + later),
  )
  return { kind: 'records', records, nextOffset: 100, endOffset: 100 }
}
/** What may hide that a topic was deleted and recreated. */
const breaks: Record<string, (events: ConsumerEvents) => unknown> = {
  'a rejoin': (events) => events.joined({ orders: [0] }),
  'a fetch that failed': (events) => events.fetchFailed(new Error('NOT_LEADER_FOR_PARTITION')),
  'a fetch that took 6 s': async (events) => {
    events.fetchBegan('1')
    await vi.advanceTimersByTimeAsync(6_000)
    events.fetchEnded('1')
  },
  'a log that was too short': async (events) => {
    void events.batch(fetched(15, 0, { outOfRange: true }))
    await vi.advanceTimersByTimeAsync(500)
  },
}

for (const [name, breakOff] of Object.entries(breaks)) {
  test(`after ${name}, a log that is the same goes on, with a record fetched once and nothing delivered twice`, async () => {
    const { consumer, batches, fetches, gaps, stop, done } = reading({ fetch: async (...at) => fetchedFrom(...at) })
    const { events, done: did } = consumer()
    events.joined({ orders: [0] })
    expect(events.batch(fetched(10, 5))).toBe(true)
    await breakOff(events)
    did.length = 0
    expect(fetches).toEqual([])
    expect(events.batch(fetched(15, 5))).toBe(false)
    expect(events.batch(fetched(15, 6))).toBe(false)
    await vi.advanceTimersByTimeAsync(0)
    expect(did).toEqual(['pause 0', 'pause 0', 'seek 0 20', 'resume 0'])
    expect(events.batch(fetched(20, 5))).toBe(true)
    expect(batches.map(({ records, nextOffset }) => [records.length, nextOffset])).toEqual([
      [5, 15],
      [5, 20],
      [5, 25],
    ])
    expect(fetches).toEqual(['0:14'])
    expect(gaps).toEqual([])
    stop()
    await done
  })

  test(`after ${name}, a log with another record in the last one's place is a gap, and all of it is read`, async () => {
    const { consumer, batches, gaps, stop, done } = reading({
      fetch: async (partition, offset) => fetchedFrom(partition, offset, 1),
      rangesOf: async () => [{ partition: 0, earliest: 3, next: 100 }],
    })
    const { events, done: did } = consumer()
    events.joined({ orders: [0] })
    void events.batch(fetched(10, 5))
    await breakOff(events)
    did.length = 0
    void events.batch(fetched(15, 5))
    await vi.advanceTimersByTimeAsync(0)
    expect(did).toEqual(['pause 0', 'seek 0 3', 'resume 0'])
    expect(events.batch(fetched(3, 5))).toBe(true)
    expect(events.batch(fetched(8, 92))).toBe(true)
    expect(gaps).toEqual([{ kind: 'gap', topic: 'orders', partition: 0, from: 15, to: 3, reason: 'truncation' }])
    expect(batches.map(({ nextOffset }) => nextOffset)).toEqual([15, 8, 100])
    stop()
    await done
  })
}

test('a record that is gone tells nothing: reading goes on', async () => {
  const gone: FetchedRecords[] = [
    { kind: 'out_of_range', range: { partition: 0, earliest: 17, next: 100 } },
    { kind: 'records', records: [recordAt(0, 16)], nextOffset: 17, endOffset: 100 },
  ]
  for (const answered of gone) {
    const { consumer, batches, gaps, stop, done } = reading({ fetch: async () => answered })
    const { events } = consumer()
    events.joined({ orders: [0] })
    void events.batch(fetched(10, 5))
    events.joined({ orders: [0] })
    void events.batch(fetched(15, 5))
    await vi.advanceTimersByTimeAsync(0)
    expect(events.batch(fetched(20, 5))).toBe(true)
    expect(batches.map(({ nextOffset }) => nextOffset)).toEqual([15, 20, 25])
    expect(gaps).toEqual([])
    stop()
    await done
  }
})

test('a log that ends before the last record by now is waited for, and then a gap', async () => {
  const { consumer, batches, gaps, stop, done } = reading({
    fetch: async () => ({ kind: 'out_of_range', range: { partition: 0, earliest: 0, next: 2 } }),
    rangesOf: async () => [{ partition: 0, earliest: 0, next: 2 }],
  })
  const { events } = consumer()
  events.joined({ orders: [0] })
  void events.batch(fetched(10, 5))
  events.joined({ orders: [0] })
  void events.batch(fetched(15, 5))
  await vi.advanceTimersByTimeAsync(1_500)
  expect(gaps).toEqual([])
  await vi.advanceTimersByTimeAsync(1_500)
  expect(gaps).toEqual([{ kind: 'gap', topic: 'orders', partition: 0, from: 15, to: 0, reason: 'truncation' }])
  expect(batches.length).toBe(1)
  stop()
  await done
})

test('a partition that cannot be compared is held back, also by a new consumer, while others go on', async () => {
  let isThere = false
  const { consumer, batches, gaps, stop, done } = reading({
    from: new Map([
      [0, 10],
      [1, 20],
    ]),
    fetch: async (partition, offset) => {
      if (partition === 0 && !isThere) throw new SourceUnavailable('not now')
      return fetchedFrom(partition, offset)
    },
  })
  const orders = [0, 1]
  consumer().events.joined({ orders })
  void consumer().events.batch(fetched(10, 5))
  void consumer().events.batch(fetched(20, 5, { partition: 1 }))
  consumer().events.joined({ orders })
  void consumer().events.batch(fetched(15, 5))
  void consumer().events.batch(fetched(25, 5, { partition: 1 }))
  await vi.advanceTimersByTimeAsync(4_000) // less than a stall
  expect(consumer().events.batch(fetched(30, 5, { partition: 1 }))).toBe(true)
  consumer().events.crashed(new Error('no broker'))
  await vi.advanceTimersByTimeAsync(2_000)
  const { events, done: did } = consumer()
  events.joined({ orders })
  expect(events.batch(fetched(15, 3))).toBe(false)
  expect(did).toEqual(['seek 0 15', 'seek 1 35', 'pause 0'])
  const placesOf = (wanted: number) =>
    batches.filter(({ partition }) => partition === wanted).map(({ nextOffset }) => nextOffset)
  expect([placesOf(0), placesOf(1)]).toEqual([[15], [25, 30, 35]])
  isThere = true
  await vi.advanceTimersByTimeAsync(2_000)
  expect(did.slice(3)).toEqual(['seek 0 20', 'resume 0'])
  expect(placesOf(0)).toEqual([15, 20])
  expect(gaps).toEqual([])
  stop()
  await done
})

test('of a topic that was recreated each partition has its gap, also while what it holds cannot be asked', async () => {
  let tries = 0
  const { consumer, batches, gaps, stop, done } = reading({
    from: new Map([
      [0, 10],
      [1, 20],
    ]),
    fetch: async (partition, offset) => fetchedFrom(partition, offset, 60_000),
    rangesOf: async () => {
      if (++tries < 6) throw new SourceUnavailable('not now')
      return [0, 1].map((partition) => ({ partition, earliest: partition, next: 100 }))
    },
  })
  const { events } = consumer()
  const orders = [0, 1]
  events.joined({ orders })
  void events.batch(fetched(10, 5))
  void events.batch(fetched(20, 5, { partition: 1 }))
  events.joined({ orders })
  void events.batch(fetched(15, 5))
  void events.batch(fetched(25, 5, { partition: 1 }))
  await vi.advanceTimersByTimeAsync(4_000)
  const gap = { kind: 'gap', topic: 'orders', reason: 'truncation' }
  expect(gaps.sort((a, b) => a.partition - b.partition)).toEqual([
    { ...gap, partition: 0, from: 15, to: 0 },
    { ...gap, partition: 1, from: 25, to: 1 },
  ])
  expect(batches.length).toBe(2)
  stop()
  await done
})

test('what breaks off while a log is compared makes the next batch be compared again', async () => {
  const answers: (() => void)[] = []
  const { consumer, batches, fetches, stop, done } = reading({
    fetch: (...at) => new Promise((resolve) => answers.push(() => resolve(fetchedFrom(...at)))),
  })
  const { events } = consumer()
  events.joined({ orders: [0] })
  void events.batch(fetched(10, 5))
  events.joined({ orders: [0] })
  void events.batch(fetched(15, 5))
  events.fetchFailed(new Error('connection closed'))
  answers.shift()?.()
  await vi.advanceTimersByTimeAsync(0)
  expect(events.batch(fetched(20, 5))).toBe(false)
  answers.shift()?.()
  await vi.advanceTimersByTimeAsync(0)
  expect(events.batch(fetched(25, 5))).toBe(true)
  expect(fetches).toEqual(['0:14', '0:19'])
  expect(batches.map(({ nextOffset }) => nextOffset)).toEqual([15, 20, 25, 30])
  stop()
  await done
})

test('of 256 partitions eight are compared at once, each delivers everything once, and breaks without end stop none', async () => {
  const partitions = Array.from({ length: 256 }, (_, partition) => partition)
  let comparing = 0
  let most = 0
  const { consumer, batches, stop, done } = reading({
    from: new Map(partitions.map((partition) => [partition, 10])),
    fetch: async (...at) => {
      most = Math.max(most, ++comparing)
      await new Promise((resolve) => setTimeout(resolve, 5))
      comparing--
      return fetchedFrom(...at)
    },
  })
  const { events, done: did } = consumer()
  events.joined({ orders: partitions })
  const wanted = partitions.map(() => 10)
  /** A batch of every partition that is not paused, from where it was sought last. */
  const fetchAll = () => {
    for (const line of did.splice(0)) {
      const [what, partition, offset] = line.split(' ')
      if (what === 'seek') wanted[Number(partition)] = Number(offset)
    }
    for (const partition of partitions) {
      const from = wanted[partition] as number
      if (events.batch(fetched(from, 5, { partition })) === true) wanted[partition] = from + 5
    }
  }
  fetchAll()
  expect(batches.length).toBe(256)
  for (let round = 0; round < 4; round++) {
    events.fetchFailed(new Error('connection closed'))
    fetchAll()
    await vi.advanceTimersByTimeAsync(1_000)
  }
  expect(most).toBe(8)
  // In every second round at least, by each.
  for (const partition of partitions) {
    const own = batches.filter((batch) => batch.partition === partition).map(({ nextOffset }) => nextOffset)
    expect(own.length).toBeGreaterThanOrEqual(3)
    expect(own).toEqual(own.map((_, i) => 15 + 5 * i))
  }
  stop()
  await done
})

/** A reader whose batches are half taken until the test says otherwise. */
function readingSlowly(more: PlayedLog = {}) {
  const takes: (() => void)[] = []
  const onBatch = (batch: Batch) => {
    return batch.records.length === 0 ? undefined : new Promise<void>((resolve) => takes.push(resolve))
  }
  return { ...reading({ ...more, onBatch }), takes }
}

test('a batch that is half taken is not delivered: the wanted offset stays before it, and no other of it is handed over', async () => {
  const { consumers, consumer, batches, takes, stop, done } = readingSlowly()
  const first = consumer()
  first.events.joined({ orders: [0] })
  const moves = first.events.batch(fetched(10, 5))
  expect(moves).toBeInstanceOf(Promise)
  // Another consumer reads from the wanted offset, and what it brings waits.
  first.events.crashed(new Error('no broker'))
  await vi.advanceTimersByTimeAsync(2_000)
  expect(consumers.length).toBe(2)
  consumer().events.joined({ orders: [0] })
  expect(consumer().done).toEqual(['seek 0 10'])
  const again = consumer().events.batch(fetched(10, 5))
  expect(batches.length).toBe(1)
  takes.shift()?.()
  expect(await moves).toBe(true)
  expect(await again).toBe(false)
  expect(consumer().done).toEqual(['seek 0 10', 'seek 0 15'])
  const next = consumer().events.batch(fetched(15, 5))
  takes.shift()?.()
  expect(await next).toBe(true)
  expect(batches.map(({ nextOffset }) => nextOffset)).toEqual([15, 20])
  stop()
  await done
})

test('a batch that waited for a comparison is delivered when it has been taken, and then the partition is read on', async () => {
  const { consumer, batches, takes, stop, done } = readingSlowly({ fetch: async (...at) => fetchedFrom(...at) })
  const { events, done: did } = consumer()
  events.joined({ orders: [0] })
  const moves = events.batch(fetched(10, 5))
  takes.shift()?.()
  await moves
  events.joined({ orders: [0] })
  expect(events.batch(fetched(15, 5))).toBe(false)
  await vi.advanceTimersByTimeAsync(0)
  expect(batches.length).toBe(2)
  expect(events.batch(fetched(15, 5))).toBeInstanceOf(Promise)
  expect(did.at(-1)).toBe('pause 0')
  takes.shift()?.()
  await vi.advanceTimersByTimeAsync(0)
  expect(did.slice(-2)).toEqual(expect.arrayContaining(['seek 0 20', 'resume 0']))
  expect(batches.length).toBe(2)
  stop()
  await done
})

test('a reader stops when the batch that is half taken has settled, and not before', async () => {
  const { consumer, takes, stop, done } = readingSlowly()
  consumer().events.joined({ orders: [0] })
  void consumer().events.batch(fetched(10, 5))
  let isDone = false
  void done.then(() => {
    isDone = true
  })
  stop()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(isDone).toBe(false)
  takes.shift()?.()
  await done
})

test('the time that a batch takes is none in which the brokers gave nothing', async () => {
  const { consumer, consumers, states, takes, stop, done } = readingSlowly()
  const { events } = consumer()
  events.joined({ orders: [0] })
  events.fetchBegan('1')
  events.fetchEnded('1')
  void events.batch(fetched(10, 5))
  await vi.advanceTimersByTimeAsync(60_000)
  takes.shift()?.()
  await vi.advanceTimersByTimeAsync(3_000)
  expect(states.map(({ kind }) => kind)).toEqual(['waiting', 'reading'])
  expect(consumers.length).toBe(1)
  stop()
  await done
})

const FAILURES: [how: string, onBatch: () => Promise<void> | undefined][] = [
  ['throws', () => expect.unreachable()],
  ['rejects', async () => expect.unreachable()],
]

test.each(FAILURES)(
  'a reader that %s at a batch is logged, and reading goes on after the batch',
  async (_how, onBatch) => {
    const { consumer, batches, faults, stop, done } = reading({ onBatch })
    const { events } = consumer()
    events.joined({ orders: [0] })
    expect(await events.batch(fetched(10, 5))).toBe(true)
    expect(await events.batch(fetched(15, 5))).toBe(true)
    expect(batches.length).toBe(2)
    expect(faults).toEqual(new Array(2).fill({ topic: 'orders', partition: 0 }))
    stop()
    await done
  },
)

test('a batch that cannot be read ends neither the consumer nor the process: it is fetched again after a while', async () => {
  const { consumer, batches, faults, stop, done } = reading({
    rangesOf: async () => [{ partition: 0, earliest: 0, next: 100 }],
  })
  const { events, done: did } = consumer()
  events.joined({ orders: [0] })
  const records = () => expect.unreachable()
  expect(events.batch({ ...fetched(10, 5), records })).toBe(false)
  expect(faults).toEqual([{ topic: 'orders', partition: 0 }])
  expect(did.at(-1)).toBe('pause 0')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(did.slice(-2)).toEqual(['seek 0 10', 'resume 0'])
  expect(events.batch(fetched(10, 5))).toBe(true)
  expect(batches.length).toBe(1)
  stop()
  await done
})
