import fc from 'fast-check'
import { expect, test } from 'vitest'
import { atLeast, differenceOf, narrow, nextSampleIn, UNKNOWN, uncertaintyOf } from '../../web/src/stream/clock.ts'
import { Statistics } from '../kit/statistics.ts'

const SAMPLES = 10

test('the difference of two clocks is found from whole seconds, to less than the way there and back', () => {
  const statistics = new Statistics('clocks', ['ahead', 'behind', 'slow network', 'fast network'])
  const times = fc.record({
    there: fc.double({ min: 0, max: 150, noNaN: true }),
    back: fc.double({ min: 0, max: 150, noNaN: true }),
  })
  const ways = fc.array(times, { minLength: SAMPLES, maxLength: SAMPLES })
  const differences = fc.integer({ min: -3_600_000, max: 3_600_000 })
  fc.assert(
    fc.property(differences, ways, fc.nat(10_000_000), (difference, list, start) => {
      let bounds = UNKNOWN
      let now = 1_795_000_000_000 + start
      for (const { there, back } of list) {
        const gateway = now + there + difference
        const sample = { sentAt: now, receivedAt: now + there + back, date: gateway - (gateway % 1_000) }
        bounds = narrow(bounds, sample)
        expect(bounds.low).toBeLessThanOrEqual(difference)
        expect(bounds.high).toBeGreaterThanOrEqual(difference)
        const next = nextSampleIn(bounds, sample.receivedAt)
        expect(next).toBeGreaterThan(0)
        expect(next).toBeLessThanOrEqual(1_000)
        now = sample.receivedAt + next
      }
      const slowest = Math.max(...list.map(({ there, back }) => there + back))
      statistics.count(difference > 0 ? 'ahead' : 'behind')
      statistics.count(slowest > 200 ? 'slow network' : 'fast network')
      expect(uncertaintyOf(bounds)).toBeLessThanOrEqual(slowest + 100)
    }),
    { numRuns: 500 },
  )
  statistics.report()
})

test('a clock that is set, or another server, begins anew', () => {
  const before = narrow(UNKNOWN, { sentAt: 10_100, receivedAt: 10_110, date: 10_000 })
  const after = narrow(before, { sentAt: 20_100, receivedAt: 20_110, date: 80_000 })
  expect(differenceOf(after)).toBeGreaterThan(59_000)
  expect(differenceOf(UNKNOWN)).toBeUndefined()
})

test('what orders say narrows it, unless it contradicts', () => {
  const bounds = { low: -100, high: 50 }
  expect(atLeast(bounds, -20)).toEqual({ low: -20, high: 50 })
  expect(atLeast(bounds, -200)).toBe(bounds)
  expect(atLeast(bounds, 60)).toBe(bounds)
  expect(atLeast(bounds, Number.NEGATIVE_INFINITY)).toBe(bounds)
})
