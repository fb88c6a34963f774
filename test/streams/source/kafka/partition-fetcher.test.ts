import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  createPartitionFetcher,
  type FetchAnswer,
  type FetchConnection,
  type Wanted,
} from '../../../../src/streams/source/kafka/partition-fetcher.ts'
import { type PartitionRange, SourceUnavailable } from '../../../../src/streams/source/port.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const NOTHING = { kind: 'records', records: [], nextOffset: 7, endOffset: 7 } as const
const { signal } = new AbortController()

/** What Kafka answers, as kafkajs throws it. */
const answered = (type: string, retriable = true) => Object.assign(new Error(type), { type, retriable })
const connectionLost = () => new Error('Closed connection')

/** Fetches whose connections a test answers for: `answer` gets what was wanted, by which connection, and of which try. */
function fetcherOf(
  answer: (wanted: Wanted, connection: number, ask: number) => Promise<FetchAnswer>,
  {
    connect = async () => {},
    range = async (): Promise<PartitionRange> => ({ partition: 0, earliest: 3, next: 5 }),
  } = {},
) {
  const said: string[] = []
  const closing = new AbortController()
  let connections = 0
  let asks = 0
  const open = (): FetchConnection => {
    const own = ++connections
    said.push(`open ${own}`)
    return {
      connect,
      fetch(wanted) {
        said.push(`fetch ${wanted.offset} by ${own}`)
        return answer(wanted, own, ++asks)
      },
      range,
      forgetLeader: (topic, partition) => void said.push(`forget ${topic}/${partition}`),
      end: async () => void said.push(`end ${own}`),
    }
  }
  const fetches = createPartitionFetcher(open, closing.signal)
  const fetch = (offset = 7, abort: AbortSignal = signal) => fetches.fetch('t', 0, offset, 1_000, abort)
  return { said, fetch, close: () => closing.abort(), ended: () => fetches.close() }
}

test('nothing is connected before the first fetch, and then once for all', async () => {
  const { said, fetch } = fetcherOf(async () => NOTHING)
  expect(said).toEqual([])
  expect(await Promise.all([fetch(), fetch()])).toEqual([NOTHING, NOTHING])
  await fetch()
  expect(said).toEqual(['open 1', 'fetch 7 by 1', 'fetch 7 by 1', 'fetch 7 by 1'])
})

test('connections that nobody has used for half a minute are closed, and recreated by the next fetch', async () => {
  const { said, fetch } = fetcherOf(async () => NOTHING)
  await fetch()
  await vi.advanceTimersByTimeAsync(29_000)
  await fetch()
  await vi.advanceTimersByTimeAsync(29_000)
  expect(said.at(-1)).toBe('fetch 7 by 1')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(said.at(-1)).toBe('end 1')
  await fetch()
  expect(said.slice(-2)).toEqual(['open 2', 'fetch 7 by 2'])
})

test('a leader that has moved is looked for again, over the same connections', async () => {
  const { said, fetch } = fetcherOf(async (_wanted, _connection, ask) => {
    if (ask < 4) throw answered('NOT_LEADER_FOR_PARTITION')
    return NOTHING
  })
  const fetched = fetch()
  await vi.advanceTimersByTimeAsync(100 + 200 + 400)
  expect(await fetched).toEqual(NOTHING)
  const failed = ['fetch 7 by 1', 'forget t/0']
  expect(said).toEqual(['open 1', ...failed, ...failed, ...failed, 'fetch 7 by 1'])
})

test('what stays wrong is tried five times', async () => {
  const { said, fetch } = fetcherOf(async () => {
    throw answered('NOT_LEADER_FOR_PARTITION')
  })
  const failed = expect(fetch()).rejects.toThrow(new SourceUnavailable('Kafka: NOT_LEADER_FOR_PARTITION'))
  await vi.advanceTimersByTimeAsync(100 + 200 + 400 + 800)
  await failed
  expect(said.filter((each) => each.startsWith('fetch'))).toHaveLength(5)
})

test('what another try does not help is not tried again', async () => {
  const { said, fetch } = fetcherOf(async () => {
    throw answered('TOPIC_AUTHORIZATION_FAILED', false)
  })
  await expect(fetch()).rejects.toThrow(SourceUnavailable)
  expect(said).toEqual(['open 1', 'fetch 7 by 1'])
})

test('connections that have failed are left at once, and closed when the last fetch over them has ended', async () => {
  const slow = Promise.withResolvers<FetchAnswer>()
  const { said, fetch } = fetcherOf(async ({ offset }, connection) => {
    if (offset === 1) return slow.promise
    if (connection === 1) throw connectionLost()
    return NOTHING
  })
  const other = fetch(1)
  const fetched = fetch(7)
  await vi.advanceTimersByTimeAsync(100)
  expect(await fetched).toEqual(NOTHING)
  expect(said).toEqual(['open 1', 'fetch 1 by 1', 'fetch 7 by 1', 'open 2', 'fetch 7 by 2'])
  slow.resolve(NOTHING)
  expect(await other).toEqual(NOTHING)
  expect(said.at(-1)).toBe('end 1')
})

test('a cluster that cannot be reached is said to be so without more tries, and tried anew by the next fetch', async () => {
  let down = true
  const connect = async () => {
    if (down) throw new Error('ECONNREFUSED')
  }
  const { said, fetch } = fetcherOf(async () => NOTHING, { connect })
  const outcomes = await Promise.allSettled([fetch(), fetch()])
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ reason: new SourceUnavailable('Kafka: ECONNREFUSED') })
  }
  expect(said).toEqual(['open 1', 'end 1'])
  down = false
  expect(await fetch()).toEqual(NOTHING)
})

test('an offset out of range comes with the range, if it still is', async () => {
  const range = vi.fn(async () => ({ partition: 0, earliest: 3, next: 5 }))
  const { fetch } = fetcherOf(
    async ({ offset }, _connection, ask) => (offset === 7 || ask < 4 ? { kind: 'out_of_range' } : NOTHING),
    { range },
  )
  expect(await fetch(7)).toEqual({ kind: 'out_of_range', range: { partition: 0, earliest: 3, next: 5 } })
  // The log has grown up to it meanwhile.
  const fetched = fetch(5)
  await vi.advanceTimersByTimeAsync(100 + 200)
  expect(await fetched).toEqual(NOTHING)
})

test('nothing where there should be something is no end of the log: it is asked for again', async () => {
  const { said, fetch } = fetcherOf(async (_wanted, _connection, ask) => {
    if (ask === 1) return { kind: 'throttled' }
    return ask === 2 ? { ...NOTHING, endOffset: 9 } : NOTHING
  })
  const fetched = fetch()
  await vi.advanceTimersByTimeAsync(100 + 200)
  expect(await fetched).toEqual(NOTHING)
  expect(said).toEqual(['open 1', ...Array(3).fill('fetch 7 by 1')])
})

test('a fetch that takes longer than 20 s is given up, and so are its connections', async () => {
  const never = new Promise<FetchAnswer>(() => {})
  const { said, fetch } = fetcherOf(async (_wanted, connection) => (connection === 1 ? never : NOTHING))
  const failed = expect(fetch()).rejects.toThrow(new SourceUnavailable('Kafka has not answered within 20 s'))
  await vi.advanceTimersByTimeAsync(20_000)
  await failed
  expect(await fetch()).toEqual(NOTHING)
  expect(said).toEqual(['open 1', 'fetch 7 by 1', 'open 2', 'fetch 7 by 2'])
})

test('an abort ends waiting and tries, and leaves the connections to others', async () => {
  const { said, fetch } = fetcherOf(async () => {
    throw answered('NOT_LEADER_FOR_PARTITION')
  })
  const aborting = new AbortController()
  const failed = expect(fetch(7, aborting.signal)).rejects.toThrow('Enough')
  await vi.advanceTimersByTimeAsync(50)
  aborting.abort(new Error('Enough'))
  await failed
  await vi.advanceTimersByTimeAsync(10_000)
  expect(said).toEqual(['open 1', 'fetch 7 by 1', 'forget t/0'])
})

test('closing ends fetches and connections, also those that are being made, and nothing is opened after it', async () => {
  const never = new Promise<void>(() => {})
  const { said, fetch, close, ended } = fetcherOf(async () => NOTHING, { connect: () => never })
  const failed = expect(fetch()).rejects.toThrow(SourceUnavailable)
  close()
  await failed
  await ended()
  expect(said).toEqual(['open 1', 'end 1'])
  await expect(fetch()).rejects.toThrow('closed')
  expect(said).toEqual(['open 1', 'end 1'])
  expect(vi.getTimerCount()).toBe(0)
})
