import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { RateLimit } from '../../src/errors/rate-limit.ts'

const INTERVAL_MS = 10_000
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** What is let through: the key, and the number left out since. */
function told(limit: RateLimit, ...keys: string[]): string[] {
  const lines: string[] = []
  for (const key of keys) limit.tell((unlogged) => lines.push(`${key}+${unlogged}`), key)
  return lines
}

test('one line of each key is let through in each interval, with the number left out since', () => {
  const limit = new RateLimit(INTERVAL_MS)
  expect(told(limit, 'a', 'a', 'b', 'a', 'b')).toEqual(['a+0', 'b+0'])
  vi.advanceTimersByTime(INTERVAL_MS - 1)
  expect(told(limit, 'a')).toEqual([])
  vi.advanceTimersByTime(1)
  expect(told(limit, 'a', 'b', 'a')).toEqual(['a+3', 'b+1'])
})

test('without a key all lines are of one kind', () => {
  const limit = new RateLimit(INTERVAL_MS)
  const lines: number[] = []
  for (let i = 0; i < 3; i++) limit.tell((unlogged) => lines.push(unlogged))
  expect(lines).toEqual([0])
})

test('keys beyond the bound share one line, and no count is lost', () => {
  const limit = new RateLimit(INTERVAL_MS)
  const keys = Array.from({ length: 100_000 }, (_, i) => `key ${i}`)
  const first = told(limit, ...keys)
  expect(first.length).toBeLessThan(1_000)
  vi.advanceTimersByTime(INTERVAL_MS)
  // Those that are forgotten make room.
  const second = told(limit, ...keys)
  expect(second.length).toBe(first.length)
  const leftOut = second.reduce((sum, line) => sum + Number(line.split('+')[1]), 0)
  expect(leftOut).toBe(keys.length - first.length)
})

test('a key too long to be kept shares a line with the others like it', () => {
  const limit = new RateLimit(INTERVAL_MS)
  expect(told(limit, 'x'.repeat(10_000), 'y'.repeat(10_000), 'a').length).toBe(2)
})

test('a line that throws is counted as let through', () => {
  const limit = new RateLimit(INTERVAL_MS)
  const fails = () => {
    throw new Error('the log is gone')
  }
  expect(() => limit.tell(fails)).toThrow()
  limit.tell(fails)
})
