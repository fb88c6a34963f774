import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { StreamAges } from '../../src/transport/stream-ages.ts'

const HOUR_MS = 3_600_000

beforeEach(() => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
})

const rethrow = (error: unknown): void => {
  throw error
}

/** Adds so many streams, and says how old each became. */
function agesOf(count: number, maxAgeMs: number): number[] {
  const begin = Date.now()
  const ages: number[] = []
  const all = new StreamAges<{ slot: number }>(
    maxAgeMs,
    (stream) => {
      ages.push(Date.now() - begin)
      all.remove(stream)
    },
    rethrow,
  )
  for (let i = 0; i < count; i++) all.add({ slot: 0 })
  vi.advanceTimersByTime(2 * maxAgeMs + 10_000)
  all.stop()
  return ages
}

test('each stream ends at an age of its own, between three quarters of the maximum and all of it', () => {
  const ages = agesOf(10_000, HOUR_MS)
  expect(ages).toHaveLength(10_000)
  expect(Math.min(...ages)).toBeGreaterThanOrEqual(0.75 * HOUR_MS)
  expect(Math.max(...ages)).toBeLessThanOrEqual(HOUR_MS)
  const perSecond = new Map<number, number>()
  for (const age of ages) perSecond.set(age, (perSecond.get(age) ?? 0) + 1)
  const most = Math.max(...perSecond.values())
  console.log(`10,000 streams of one moment end over ${perSecond.size} seconds, at most ${most} in one`)
  // 900 seconds: 11 in each.
  expect(most).toBeLessThan(40)
})

test('a short maximum age is kept to as well', () => {
  const ages = agesOf(1_000, 400)
  expect(ages).toHaveLength(1_000)
  expect(Math.min(...ages)).toBeGreaterThanOrEqual(290)
  expect(Math.max(...ages)).toBeLessThanOrEqual(400)
})

test('with a maximum age of 0 none ends', () => {
  expect(agesOf(100, 0)).toEqual([])
})

test('a stream that has gone is not ended', () => {
  const ended: object[] = []
  const ages = new StreamAges<{ slot: number }>(1_000, (stream) => ended.push(stream), rethrow)
  const [gone, stays] = [{ slot: 0 }, { slot: 0 }]
  ages.add(gone)
  ages.add(stays)
  ages.remove(gone)
  vi.advanceTimersByTime(2_000)
  ages.stop()
  expect(ended).toEqual([stays])
})

test('a stream that throws as it ends is told of, and those of its moment end', () => {
  const ended: object[] = []
  const failures: unknown[] = []
  const end = (stream: object): void => {
    ended.push(stream)
    throw new Error('Broken')
  }
  const ages = new StreamAges<{ slot: number }>(1_000, end, (error) => failures.push(error))
  for (let i = 0; i < 100; i++) ages.add({ slot: 0 })
  vi.advanceTimersByTime(2_000)
  ages.stop()
  expect([ended.length, failures.length]).toEqual([100, 100])
})
