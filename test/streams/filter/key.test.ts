import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Filter } from '../../../src/streams/filter/filter.ts'
import { planOf } from '../../../src/streams/filter/plan.ts'
import { Statistics } from '../../kit/statistics.ts'
import { Random } from '../../soak/random.ts'
import { filters, tests } from './filters.ts'
import { interpret } from './interpret.ts'
import { respell } from './respell.ts'
import { events, FIELDS, sales } from './shop.ts'

const keyOf = (filter: Filter) => planOf(filter, sales).key

test('filters of one key take the same events', () => {
  const statistics = new Statistics('filters of one key', ['pairs of filters', 'one key', 'one key, unlike texts'])
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          tests.map(({ test }) => test),
          filters,
        ),
        { minLength: 30, maxLength: 30 },
      ),
      fc.array(events, { minLength: 20, maxLength: 20 }),
      (given, values) => {
        const seen = new Map<string, Filter>()
        for (const filter of given) {
          const key = keyOf(filter)
          const other = seen.get(key)
          seen.set(key, filter)
          statistics.count('pairs of filters', seen.size - 1)
          if (!other) continue
          statistics.count('one key')
          if (fc.stringify(other) !== fc.stringify(filter)) statistics.count('one key, unlike texts')
          for (const value of values) expect(interpret(filter, value)).toBe(interpret(other, value))
        }
      },
    ),
    { numRuns: 250 },
  )
  statistics.report()
})

test('another spelling of a filter has the same key', () => {
  const statistics = new Statistics('spellings', [
    'double not',
    'nested alone',
    'said twice',
    'nested',
    'said nothing',
    'De Morgan',
    'null as a value',
    'a value twice',
    'values apart',
    'any of one',
    'bounds apart',
    'zeros',
    'another offset',
    'a bigint',
  ])
  fc.assert(
    fc.property(filters, fc.integer(), (filter, seed) => {
      const random = new Random(seed)
      const choice = { random: () => random.next(), count: (rule: string) => statistics.count(rule) }
      const other = respell(filter, choice)
      expect(keyOf(other)).toBe(keyOf(filter))
    }),
    { numRuns: 5_000 },
  )
  statistics.report()
})

test('what differs has another key', () => {
  const { amount, city, isPaid, region, tags } = FIELDS
  const keys = [
    { kind: 'in', field: amount, values: ['1'] },
    { kind: 'in', field: amount, values: ['1.01'] },
    { kind: 'range', field: amount, range: { gt: '1' } },
    { kind: 'range', field: amount, range: { gte: '1' } },
    { kind: 'range', field: amount, range: { lt: '1' } },
    { kind: 'in', field: city, values: ['null'] },
    { kind: 'null', field: city },
    { kind: 'in', field: city, values: ['a,b'] },
    { kind: 'in', field: city, values: ['a', 'b'] },
    { kind: 'in', field: city, values: ['a","b'] },
    { kind: 'startsWith', field: city, text: 'a' },
    { kind: 'contains', field: city, text: 'a' },
    { kind: 'in', field: region, values: ['a'] },
    { kind: 'in', field: isPaid, values: [true] },
    { kind: 'hasAny', field: tags, values: ['a', 'b'] },
    { kind: 'hasAll', field: tags, values: ['a', 'b'] },
    { kind: 'all', of: [] },
    { kind: 'any', of: [] },
  ].flatMap((filter) => [keyOf(filter as Filter), keyOf({ kind: 'not', of: filter as Filter })])
  // The last two are each other's negation.
  expect(new Set(keys).size).toBe(keys.length - 2)
})

test('enums are told apart by what their values are, not how these are written', () => {
  const field = FIELDS.region
  const [one, other] = [{}, {}]
  const values = [one, other, Symbol('a'), Symbol('a'), 1, '1', true, 'true', 1n]
  const keys = values.map((value) => keyOf({ kind: 'in', field, values: [value] }))
  expect(new Set(keys).size).toBe(values.length)
  expect(keyOf({ kind: 'in', field, values: [other, one] })).toBe(keyOf({ kind: 'in', field, values: [one, other] }))
})

test('a long filter has a short key', () => {
  const long = (last: string): Filter => ({
    kind: 'in',
    field: FIELDS.id,
    values: [...Array.from({ length: 900 }, (_, i) => `merchant-${i}`), last],
  })
  expect(keyOf(long('a')).length).toBeLessThan(100)
  expect(keyOf(long('a'))).toBe(keyOf(long('a')))
  expect(keyOf(long('a'))).not.toBe(keyOf(long('b')))
})
