import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TICK_MS, Wheel } from '../../../src/delivery/throttle/wheel.ts'
import { Faults } from '../../../src/errors/faults.ts'
import { silentLog } from '../../kit/log-lines.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  vi.advanceTimersByTime(1000)
})
afterEach(() => void vi.useRealTimers())

const HOUR_MS = 3_600_000

function startWheel() {
  const wheel = new Wheel(new Faults(silentLog))
  const ticked: [name: string, at: number][] = []
  const start = performance.now()
  const timed = (name: string, act = () => {}) => ({
    tick: () => {
      ticked.push([name, performance.now() - start])
      act()
    },
    failed: (error: unknown) => void ticked.push([`${name} ${error}`, performance.now() - start]),
  })
  return { wheel, ticked, timed, in: (ms: number) => start + ms }
}

test('each thing is due once, at the first tick after its time, and never before', () => {
  const { wheel, ticked, timed, in: at } = startWheel()
  const times = [0, 1, 24, 25, 26, 12_799, 12_800, 30_000, HOUR_MS]
  for (const ms of times) wheel.schedule(timed(String(ms)), at(ms))
  vi.advanceTimersByTime(HOUR_MS + TICK_MS)
  expect(ticked.map(([name]) => Number(name))).toEqual(times)
  for (const [name, when] of ticked) {
    expect(when).toBeGreaterThanOrEqual(Number(name))
    expect(when - Number(name)).toBeLessThanOrEqual(TICK_MS)
  }
})

test('one timer serves all, and there is none while nothing is due', () => {
  const { wheel, timed, in: at } = startWheel()
  expect(vi.getTimerCount()).toBe(0)
  for (let i = 0; i < 1000; i++) wheel.schedule(timed('x'), at(100 + i))
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(2000)
  expect([wheel.size, vi.getTimerCount()]).toEqual([0, 0])
})

test('a later time of a thing replaces the earlier one, and what is cancelled is not due', () => {
  const { wheel, ticked, timed, in: at } = startWheel()
  const [one, other] = [timed('one'), timed('other')]
  wheel.schedule(one, at(100))
  wheel.schedule(other, at(100))
  wheel.schedule(one, at(200))
  wheel.cancel(other)
  vi.advanceTimersByTime(1000)
  expect(ticked).toEqual([['one', 200]])
})

test('after a pause of the process everything that was due is, once', () => {
  const { wheel, ticked, timed, in: at } = startWheel()
  for (const ms of [50, 20_000, 90_000, 200_000]) wheel.schedule(timed(String(ms)), at(ms))
  const now = performance.now()
  const clock = vi.spyOn(performance, 'now').mockReturnValue(now + 100_000)
  vi.advanceTimersToNextTimer()
  clock.mockRestore()
  expect(ticked.map(([name]) => Number(name)).toSorted((a, b) => a - b)).toEqual([50, 20_000, 90_000])
})

test('what throws fails alone', () => {
  const { wheel, ticked, timed, in: at } = startWheel()
  const broken = timed('broken', () => {
    throw new Error('no')
  })
  for (const each of [timed('a'), broken, timed('b')]) wheel.schedule(each, at(10))
  vi.advanceTimersByTime(TICK_MS)
  expect(ticked.map(([name]) => name)).toEqual(['a', 'broken', 'broken Error: no', 'b'])
})

test('a wheel that was stopped has no timer, and takes nothing more', () => {
  const { wheel, ticked, timed, in: at } = startWheel()
  wheel.schedule(timed('a'), at(10))
  wheel.stop()
  wheel.schedule(timed('b'), at(10))
  vi.advanceTimersByTime(1000)
  expect([ticked, vi.getTimerCount(), wheel.size]).toEqual([[], 0, 0])
})
