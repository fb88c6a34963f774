import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seek } from '../../../src/streams/feed/seek.ts'
import { Statistics } from '../../kit/statistics.ts'

const lists = fc
  .uniqueArray(fc.nat(5000), { maxLength: 200, size: 'max' })
  .map((numbers) => numbers.toSorted((one, other) => one - other))

test('wherever a search begins, it ends at the first number that is large enough', () => {
  const statistics = new Statistics('seek', [
    'found',
    'at the end',
    'before where it began',
    'after it',
    'there',
    'no list',
  ])
  fc.assert(
    fc.property(lists, fc.nat(5500), fc.nat(250), (list, seq, from) => {
      const place = list.findIndex((each) => each >= seq)
      const expected = place < 0 ? list.length : place
      expect(seek(list, seq, from)).toBe(expected)
      expect(seek(list, seq)).toBe(expected)
      if (list.length === 0) statistics.count('no list')
      statistics.count(place < 0 ? 'at the end' : 'found')
      statistics.count(expected === from ? 'there' : expected < from ? 'before where it began' : 'after it')
    }),
    { numRuns: 2000 },
  )
  statistics.report()
})

test('a search costs the logarithm of the distance to where it begins', () => {
  let looks = 0
  const list = new Proxy([...Array(1_000_000).keys()], {
    get(target, property, receiver) {
      if (property !== 'length') looks++
      return Reflect.get(target, property, receiver)
    },
  })
  const looksFor = (seq: number, from: number) => {
    looks = 0
    expect(seek(list, seq, from)).toBe(seq)
    return looks
  }
  expect(looksFor(500_001, 500_000)).toBeLessThanOrEqual(5)
  expect(looksFor(499_990, 500_000)).toBeLessThanOrEqual(12)
  expect(looksFor(500_100, 500_000)).toBeLessThanOrEqual(18)
  expect(looksFor(999_999, 0)).toBeLessThanOrEqual(45)
})
