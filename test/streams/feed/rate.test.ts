import { expect, test } from 'vitest'
import { Rate } from '../../../src/streams/feed/rate.ts'

const T = 1_800_000_000_000

test('a rate is the events of the last ten seconds, a second', () => {
  const rate = new Rate()
  expect(rate.perSecond(T)).toBe(0)
  for (let second = 0; second < 10; second++) rate.count(T + second * 1000, 50)
  expect(rate.perSecond(T + 9_999)).toBe(50)
})

test('events leave the rate ten seconds after they came', () => {
  const rate = new Rate()
  rate.count(T, 100)
  expect(rate.perSecond(T + 9_000)).toBe(10)
  expect(rate.perSecond(T + 10_000)).toBe(0)
  rate.count(T + 10_000)
  expect(rate.perSecond(T + 10_000)).toBe(0.1)
})

test('a long pause empties the rate at once', () => {
  const rate = new Rate()
  for (let second = 0; second < 10; second++) rate.count(T + second * 1000, 7)
  expect(rate.perSecond(T + 86_400_000)).toBe(0)
})

test('a clock that goes back loses no count', () => {
  const rate = new Rate()
  rate.count(T + 5_000, 10)
  rate.count(T, 10)
  expect(rate.perSecond(T + 5_000)).toBe(2)
})
