import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPace } from '../../src/demo/pace.ts'

const rates = fc.double({ min: 0.1, max: 20_000, noNaN: true })

test('whatever the times of the looks, the total is the rate times the time', () => {
  fc.assert(
    fc.property(rates, fc.array(fc.double({ min: 0, max: 240, noNaN: true }), { maxLength: 200 }), (rate, waits) => {
      const pace = createPace(rate, 1000)
      let now = 1000
      let total = pace.due(now)
      pace.sent(total)
      for (const wait of waits) {
        now += wait
        const due = pace.due(now)
        pace.sent(due)
        total += due
      }
      expect(Math.abs(total - Math.floor(((now - 1000) / 1000) * rate + 1))).toBeLessThanOrEqual(1)
    }),
  )
})

test('an event is due as soon as it was said to be', () => {
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 500 }), (rate, steps) => {
      const pace = createPace(rate, 0)
      let now = 0
      for (let step = 0; step < steps; step++) {
        pace.sent(pace.due(now))
        now += Math.ceil(pace.msUntilDue(now))
        if (pace.msUntilDue(now) === 0) expect(pace.due(now) > 0 || pace.due(now + 1) > 0).toBe(true)
      }
    }),
  )
})

test('after a pause of an hour no more than a quarter of a second is made up for', () => {
  const pace = createPace(1000, 0)
  pace.sent(pace.due(0))
  expect(pace.due(3_600_000)).toBe(251)
  pace.sent(251)
  expect(pace.due(3_600_000)).toBe(0)
  expect(pace.due(3_600_010)).toBe(10)
})

test('a slow rate owes one event at most', () => {
  const pace = createPace(0.1, 0)
  pace.sent(pace.due(0))
  expect(pace.due(9999)).toBe(0)
  expect(pace.msUntilDue(9999)).toBe(1)
  expect(pace.due(10_000)).toBe(1)
  expect(pace.due(1_000_000)).toBe(1)
})
