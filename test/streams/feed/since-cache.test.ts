import { expect, onTestFinished, test, vi } from 'vitest'
import { SinceCache } from '../../../src/streams/feed/since-cache.ts'

const SECOND = Date.parse('2026-01-01T00:00:00Z')

function cache() {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const asked: number[] = []
  const since = new SinceCache()
  const get = (timestamp: number) =>
    since.get(timestamp, async (second) => {
      asked.push(second)
      return [asked.length]
    })
  return { since, get, asked }
}

test('a storm of clients that name any moment of one second is one lookup, of its beginning', async () => {
  const { get, asked } = cache()
  const answers = await Promise.all(Array.from({ length: 1_000 }, (_, ms) => get(SECOND + ms)))
  expect(asked).toEqual([SECOND])
  expect(new Set(answers.flat())).toEqual(new Set([1]))
  await get(SECOND + 1_000)
  expect(asked).toEqual([SECOND, SECOND + 1_000])
})

test('an answer is used for a second', async () => {
  const { get, asked } = cache()
  await get(SECOND)
  vi.advanceTimersByTime(999)
  expect(await get(SECOND)).toEqual([1])
  vi.advanceTimersByTime(1)
  expect(await get(SECOND)).toEqual([2])
  expect(asked.length).toBe(2)
})

test('a failure is not kept', async () => {
  const { since, get, asked } = cache()
  await expect(since.get(SECOND, () => Promise.reject(new Error('away')))).rejects.toThrow('away')
  expect(await get(SECOND)).toEqual([1])
  expect(asked).toEqual([SECOND])
})

test('moments before the epoch are rounded down as well', async () => {
  const { get, asked } = cache()
  await get(-1)
  expect(asked).toEqual([-1_000])
})

test('once the log is another one, it is asked again', async () => {
  const { since, get, asked } = cache()
  await get(SECOND)
  since.clear()
  await get(SECOND)
  expect(asked.length).toBe(2)
})

test('few answers are kept, the latest', async () => {
  const { get, asked } = cache()
  for (let second = 0; second < 10_000; second++) await get(SECOND + second * 1_000)
  await get(SECOND + 9_999_000)
  expect(asked.length).toBe(10_000)
  await get(SECOND)
  expect(asked.length).toBe(10_001)
})
