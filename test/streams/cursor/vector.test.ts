import fc from 'fast-check'
import { expect, test } from 'vitest'
import { covers, maxOf, UNKNOWN, type Vector } from '../../../src/streams/cursor/vector.ts'

const vector = fc.array(fc.integer({ min: UNKNOWN, max: 6 }), { maxLength: 4 })

/** Without the partitions at its end that are not known. */
function trimmed(one: Vector): number[] {
  return one.slice(0, one.findLastIndex((offset) => offset !== UNKNOWN) + 1)
}

test('the later of two positions is commutative, associative and idempotent, and nothing is later than itself', () => {
  fc.assert(
    fc.property(vector, vector, vector, (a, b, c) => {
      expect(maxOf(a, b)).toEqual(maxOf(b, a))
      expect(maxOf(maxOf(a, b), c)).toEqual(maxOf(a, maxOf(b, c)))
      expect(maxOf(a, a)).toEqual(a)
      expect(maxOf(a, [])).toEqual(a)
    }),
  )
})

test('the later of two positions covers both, and everything that covers both covers it', () => {
  fc.assert(
    fc.property(vector, vector, vector, (a, b, c) => {
      const max = maxOf(a, b)
      expect(covers(max, a) && covers(max, b)).toBe(true)
      if (covers(c, a) && covers(c, b)) expect(covers(c, max)).toBe(true)
    }),
  )
})

test('covering is a partial order: reflexive, transitive, and mutual only for the same position', () => {
  fc.assert(
    fc.property(vector, vector, vector, (a, b, c) => {
      expect(covers(a, a)).toBe(true)
      if (covers(a, b) && covers(b, c)) expect(covers(a, c)).toBe(true)
      if (covers(a, b) && covers(b, a)) expect(trimmed(a)).toEqual(trimmed(b))
      expect(covers(a, b)).toBe(trimmed(maxOf(a, b)).join() === trimmed(a).join())
    }),
  )
})

test('a partition that only one position knows is carried through', () => {
  expect(maxOf([5, UNKNOWN], [3, 0, 7])).toEqual([5, 0, 7])
  expect(covers([5], [5, UNKNOWN])).toBe(true)
  expect(covers([5], [5, 0])).toBe(false)
})
