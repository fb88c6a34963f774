import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FlushTimer } from '../../../src/delivery/group/flush-timer.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => vi.useRealTimers())

/** A timer whose flush takes as long as is said; the moments of its flushes. */
function timed(costMs: () => number) {
  const moments: number[] = []
  const errors: unknown[] = []
  const timer = new FlushTimer(
    () => {
      moments.push(performance.now())
      vi.advanceTimersByTime(costMs())
    },
    (error) => errors.push(error),
  )
  return { timer, moments, errors }
}

test('after a quiet moment it flushes at the end of the turn, once, however often it is asked', async () => {
  const { timer, moments } = timed(() => 0)
  timer.schedule()
  timer.schedule()
  expect(moments).toEqual([])
  await null
  expect(moments).toHaveLength(1)
})

test('under load it rests 2.3 times as long as the last flush took', async () => {
  const { timer, moments } = timed(() => 10)
  timer.schedule()
  await null
  timer.schedule()
  await null
  vi.advanceTimersByTime(22)
  expect(moments).toHaveLength(1)
  vi.advanceTimersByTime(1)
  expect(moments).toHaveLength(2)
})

test('it never rests longer than 25 ms', async () => {
  const { timer, moments } = timed(() => 1000)
  timer.schedule()
  await null
  timer.schedule()
  vi.advanceTimersByTime(25)
  expect(moments).toHaveLength(2)
})

test('a rest that has passed costs the next flush no wait', async () => {
  const { timer, moments } = timed(() => 4)
  timer.schedule()
  await null
  vi.advanceTimersByTime(10)
  timer.schedule()
  await null
  expect(moments).toHaveLength(2)
})

test('a stopped timer flushes no more', async () => {
  const { timer, moments } = timed(() => 4)
  timer.schedule()
  await null
  timer.schedule()
  timer.stop()
  vi.advanceTimersByTime(1000)
  timer.schedule()
  await null
  expect(moments).toHaveLength(1)
})

test('a flush that throws is told of, and the next one comes in its time', async () => {
  const { timer, moments, errors } = timed(() => {
    throw new Error('Broken')
  })
  timer.schedule()
  await null
  timer.schedule()
  await null
  vi.advanceTimersByTime(25)
  expect([moments.length, errors]).toEqual([2, [new Error('Broken'), new Error('Broken')]])
})
