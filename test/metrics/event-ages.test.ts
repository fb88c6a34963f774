import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { EventAges } from '../../src/delivery/counts/event-ages.ts'
import { Statistics } from '../kit/statistics.ts'

const NOW = Date.UTC(2026, 10, 28, 12)
const DAY_MS = 24 * 60 * 60_000

/** Ages at a moment that stands still. */
function agesAt(now = NOW): EventAges {
  vi.useFakeTimers({ now })
  return new EventAges()
}

test('a flush counts for each member and event, by the age of its oldest event', () => {
  const ages = agesAt()
  const pending = ages.pending('orders')
  for (const age of [30, 200, 10]) pending.add(NOW - age)
  pending.flushed(4)
  const { count, sum, counts, bounds } = ages.of('orders')
  expect(count).toBe(12)
  expect(sum).toBeCloseTo(12 * 0.2)
  expect(counts[bounds.indexOf(0.25)]).toBe(12)
})

test('what nobody was written is not counted, and not later either', () => {
  const ages = agesAt()
  const pending = ages.pending('orders')
  pending.add(NOW - 5_000)
  pending.flushed(0)
  pending.add(NOW - 1)
  pending.flushed(1)
  expect(ages.of('orders')).toMatchObject({ count: 1, sum: 0.001 })
})

test('a frame of no record has no age, and makes none of the others older', () => {
  const ages = agesAt()
  const pending = ages.pending('orders')
  pending.add(undefined)
  pending.flushed(3)
  expect(ages.of('orders').count).toBe(0)
  expect(ages.without).toEqual({ none: 0, past: 0, future: 0 })
})

test('a clock that is ahead by less than a minute gives an age of 0', () => {
  const ages = agesAt()
  const pending = ages.pending('orders')
  pending.add(NOW + 2_000)
  pending.flushed(1)
  expect(ages.of('orders')).toMatchObject({ count: 1, sum: 0 })
})

test('timestamps that are no times of now are counted apart, and change nothing of the histogram', () => {
  const statistics = new Statistics('timestamps of records', ['none', 'past', 'future', 'an age', 'a mixed flush'])
  const timestamp = fc.oneof(
    fc.integer({ min: 0, max: DAY_MS }).map((age) => NOW - age),
    fc.constantFrom(-1, Number.NaN, Number.NEGATIVE_INFINITY),
    fc.constantFrom(0, Math.floor(NOW / 1_000), NOW - DAY_MS - 1),
    fc.constantFrom(NOW * 1_000, NOW + 60_001, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.array(timestamp, { maxLength: 6 }), fc.nat(5)), { maxLength: 10 }), (flushes) => {
      const ages = agesAt()
      const pending = ages.pending('orders')
      let count = 0
      let sum = 0
      const without = { none: 0, past: 0, future: 0 }
      for (const [timestamps, members] of flushes) {
        for (const each of timestamps) {
          pending.add(each)
          if (each >= NOW - DAY_MS && each <= NOW + 60_000) continue
          without[each > NOW ? 'future' : each >= 0 ? 'past' : 'none']++
        }
        pending.flushed(members)
        const good = timestamps.filter((each) => each >= NOW - DAY_MS && each <= NOW)
        count += good.length * members
        if (good.length > 0) sum += (good.length * members * (NOW - Math.min(...good))) / 1_000
        if (good.length > 0) statistics.count('an age')
        if (good.length > 0 && good.length < timestamps.length) statistics.count('a mixed flush')
      }
      for (const kind of ['none', 'past', 'future'] as const) if (without[kind] > 0) statistics.count(kind)
      expect(ages.without).toEqual(without)
      expect(ages.of('orders').count).toBe(count)
      expect(ages.of('orders').sum).toBeCloseTo(sum)
      expect(ages.of('orders').counts.reduce((a, b) => a + b)).toBe(count)
    }),
  )
  statistics.report()
})

test('what is a time of now moves with the clock, though no clock is read for an event', () => {
  const ages = agesAt()
  const pending = ages.pending('orders')
  vi.setSystemTime(NOW + 2 * DAY_MS)
  ages.refresh()
  pending.add(NOW)
  pending.add(NOW + 2 * DAY_MS)
  pending.flushed(1)
  expect(ages.without.past).toBe(1)
  expect(ages.of('orders')).toMatchObject({ count: 1, sum: 0 })
})
