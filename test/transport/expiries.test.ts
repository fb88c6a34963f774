import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { EXPIRY_SPREAD_MS, Expiries, type Expiring } from '../../src/transport/expiries.ts'
import { until } from '../kit/until.ts'

const DAY_MS = 24 * 3_600_000
/** The clock is looked at this often. */
const SLOT_MS = 100

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })
  onTestFinished(() => void vi.useRealTimers())
})

class Stream implements Expiring {
  endedAt: number | undefined

  leave(): void {
    this.endedAt = Date.now()
  }
}

function start(failed: (error: unknown) => void = () => {}) {
  const expiries = new Expiries(failed)
  const add = (expiresAt: number | undefined, count = 1): Stream[] => {
    const streams = Array.from({ length: count }, () => new Stream())
    for (const stream of streams) expiries.set(stream, expiresAt)
    return streams
  }
  return { expiries, add }
}

/** Slices go on by `setImmediate`, which is not faked. */
const endedOf = async (streams: readonly Stream[]): Promise<readonly number[]> => {
  vi.useRealTimers()
  await until('all have ended', () => streams.every(({ endedAt }) => endedAt !== undefined))
  return streams.map(({ endedAt }) => endedAt as number)
}

async function advance(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}

test('streams whose credentials expire in the same moment end over five seconds, none before they do', async () => {
  const { add, expiries } = start()
  const expiresAt = Date.now() + 60_000
  const streams = add(expiresAt, 10_000)
  await advance(60_000 + EXPIRY_SPREAD_MS + 2 * SLOT_MS)
  const delays = (await endedOf(streams)).map((at) => at - expiresAt)
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...delays)).toBeLessThanOrEqual(EXPIRY_SPREAD_MS + 2 * SLOT_MS)
  const perSecond = new Map<number, number>()
  for (const late of delays) perSecond.set(Math.floor(late / 1_000), (perSecond.get(Math.floor(late / 1_000)) ?? 0) + 1)
  console.log(`10,000 streams of one moment end, by second: ${[...perSecond.values()].join(', ')}`)
  expect(Math.max(...perSecond.values())).toBeLessThan(3_000)
  expect(expiries.size).toBe(0)
})

test('streams that do not expire cost no timer, and neither do those that have gone', async () => {
  const { add, expiries } = start()
  const [forever] = add(undefined)
  expect(vi.getTimerCount()).toBe(0)
  const [one, other] = add(Date.now() + DAY_MS, 2) as [Stream, Stream]
  expect(vi.getTimerCount()).toBe(1)
  expiries.set(one, undefined)
  expect(vi.getTimerCount()).toBe(1)
  expiries.set(other, undefined)
  expect([vi.getTimerCount(), expiries.size]).toEqual([0, 0])
  await advance(2 * DAY_MS)
  expect([forever?.endedAt, one.endedAt]).toEqual([undefined, undefined])
})

test('a stream expires in sixty days, which is more than a timer can wait', async () => {
  const { add } = start()
  const expiresAt = Date.now() + 60 * DAY_MS
  const [stream] = add(expiresAt) as [Stream]
  vi.setSystemTime(expiresAt - 1_000)
  await advance(1_000)
  expect(stream.endedAt).toBeUndefined()
  await advance(EXPIRY_SPREAD_MS + 2 * SLOT_MS)
  await endedOf([stream])
})

test('a stream whose credentials have expired before it opened ends within the spread', async () => {
  const { add } = start()
  const begin = Date.now()
  const streams = add(begin - DAY_MS, 100)
  expect(streams.every(({ endedAt }) => endedAt === undefined)).toBe(true)
  await advance(EXPIRY_SPREAD_MS + 2 * SLOT_MS)
  const ended = await endedOf(streams)
  expect(new Set(ended).size).toBeGreaterThan(20)
})

test('a clock that is set forward ends what has expired by it, and one that is set back delays it', async () => {
  const { add } = start()
  const begin = Date.now()
  const streams = add(begin + DAY_MS, 10)
  const later = add(begin + 10 * DAY_MS, 10)
  vi.setSystemTime(begin - DAY_MS)
  await advance(1_000)
  // Set while the clock is back: its slots lie before those that were passed already.
  const early = add(begin - DAY_MS + 2_000, 10)
  await advance(2_000 + EXPIRY_SPREAD_MS + 2 * SLOT_MS)
  expect(early.every(({ endedAt }) => endedAt !== undefined)).toBe(true)
  expect(streams.every(({ endedAt }) => endedAt === undefined)).toBe(true)
  vi.setSystemTime(begin + 5 * DAY_MS)
  await advance(2 * SLOT_MS)
  await endedOf(streams)
  expect(later.every(({ endedAt }) => endedAt === undefined)).toBe(true)
})

test('a stream that is set in the very turn in which the clock goes back still ends', async () => {
  const { add } = start()
  const begin = Date.now()
  add(begin + 10 * DAY_MS)
  await advance(1_000)
  vi.setSystemTime(begin - DAY_MS)
  const streams = add(begin - 3 * DAY_MS, 50)
  await advance(EXPIRY_SPREAD_MS + 3 * SLOT_MS)
  await endedOf(streams)
})

test('newer credentials prolong a stream, and one that is prolonged while it waits for its turn goes on', async () => {
  const { add, expiries } = start()
  const expiresAt = Date.now() + 1_000
  const [stream, other] = add(expiresAt, 2) as [Stream, Stream]
  expiries.set(stream, expiresAt + DAY_MS)
  await advance(DAY_MS)
  expect([stream.endedAt, other.endedAt]).toEqual([undefined, expect.any(Number)])
  expect(expiries.size).toBe(1)
  await advance(60_000)
  await endedOf([stream])
})

test('a stream that throws as it ends is told of, and those of its moment end', async () => {
  const failures: unknown[] = []
  const { expiries } = start((error) => failures.push(error))
  let ended = 0
  for (let i = 0; i < 100; i++) {
    const leave = (): never => {
      ended++
      throw new Error('Broken')
    }
    expiries.set({ leave }, Date.now() + 1_000)
  }
  await advance(1_000 + EXPIRY_SPREAD_MS + 2 * SLOT_MS)
  expect([ended, failures.length, expiries.size]).toEqual([100, 100, 0])
})
