import { expect, test } from 'vitest'
import {
  MAX_CHARS,
  MAX_CONDITIONS,
  MAX_DEPTH,
  MAX_NUMBER_CHARS,
  MAX_VALUES,
} from '../../../src/streams/filter/bounds.ts'
import type { Filter } from '../../../src/streams/filter/filter.ts'
import { planOf } from '../../../src/streams/filter/plan.ts'
import { bestMs } from '../../kit/yardstick.ts'
import { FIELDS, sales } from './shop.ts'

const { amount, city, country, count, id, placedAt, region, tags } = FIELDS
const isA: Filter = { kind: 'in', field: city, values: ['a'] }
const all = (of: readonly Filter[]): Filter => ({ kind: 'all', of })
const any = (of: readonly Filter[]): Filter => ({ kind: 'any', of })
const not = (of: Filter): Filter => ({ kind: 'not', of })
const times = <T>(length: number, of: (i: number) => T): T[] => Array.from({ length }, (_, i) => of(i))

/** A filter that is nested so deep, and says no more than `isA`. */
function nested(depth: number): Filter {
  let filter = isA
  for (let i = 0; i < depth; i++) filter = [all([filter]), any([filter]), not(filter)][i % 3] as Filter
  return filter
}

const TOO_MUCH: Record<string, readonly [Filter, string, number]> = {
  'depth, by a level': [nested(MAX_DEPTH + 1), 'The filter is nested deeper than 50 levels', MAX_DEPTH],
  'depth, by far': [nested(200_000), 'The filter is nested deeper than 50 levels', MAX_DEPTH],
  conditions: [all(times(MAX_CONDITIONS + 1, () => isA)), 'The filter has more than 100 conditions', MAX_CONDITIONS],
  parts: [all(times(1_000, () => all([]))), 'The filter has more than 1000 parts', 1000],
  'parts, by far': [all(times(500, () => any(times(500, () => all([]))))), 'The filter has more than 1000 parts', 1000],
  values: [
    { kind: 'in', field: id, values: times(MAX_VALUES + 1, String) },
    'The filter, at "id", has more than 1000 values',
    MAX_VALUES,
  ],
  'values of several lists': [
    all(times(2, () => ({ kind: 'hasAny', field: tags, values: times(501, String) }))),
    'The filter, at "tags", has more than 1000 values',
    MAX_VALUES,
  ],
  text: [
    { kind: 'contains', field: city, text: 'a'.repeat(MAX_CHARS + 1) },
    'The filter, at "city", has more than 65536 characters',
    MAX_CHARS,
  ],
  digits: [
    { kind: 'range', field: amount, range: { gte: '9'.repeat(10_000) } },
    'The filter, at "total.amount", has a number of more than 120 characters',
    MAX_NUMBER_CHARS,
  ],
  'digits of a second': [
    { kind: 'in', field: placedAt, values: [`2026-11-27T10:00:00.${'9'.repeat(10_000)}Z`] },
    'The filter, at "placedAt", has a number of more than 120 characters',
    MAX_NUMBER_CHARS,
  ],
}

test.each(Object.keys(TOO_MUCH))('a filter of too much is refused with its limit: %s', (name) => {
  const [filter, message, limit] = TOO_MUCH[name] as (typeof TOO_MUCH)[string]
  const [, path] = /at "(.*?)"/.exec(message) ?? []
  const details = { limit, ...(path !== undefined && { path }) }
  const refused = { name: 'SluiceError', code: 'BAD_USER_INPUT', message, details }
  expect(() => planOf(filter, sales)).toThrow(expect.objectContaining(refused))
})

test('a filter of as much as is allowed is planned', () => {
  const value = { city: 'a' } as never
  expect(planOf(nested(MAX_DEPTH), sales).test?.(value)).toBe(true)
  expect(planOf(all(times(MAX_CONDITIONS, () => isA)), sales).test?.(value)).toBe(true)
  const many = planOf({ kind: 'in', field: id, values: times(MAX_VALUES, (i) => `m_${i}`) }, sales)
  expect(many.selection).toEqual({ id: { in: times(MAX_VALUES, (i) => `m_${i}`) } })
})

const longText = (i: number) => `${i}`.padEnd(64, 'x')
const decimal = (i: number) => `${i}.${'1'.repeat(50)}${i + 1}`

/** Filters at several bounds at once, in each of the ways that could be costly. */
const COSTLY: Record<string, (share: number) => Filter> = {
  'values that others are compared with': (share) =>
    all([
      not({ kind: 'in', field: city, values: times(900 * share, longText) }),
      ...times(99 * share, (i): Filter => ({ kind: 'contains', field: city, text: `${i}` })),
    ]),
  'decimals against ranges': (share) =>
    all([
      { kind: 'in', field: amount, values: times(800 * share, decimal) },
      ...times(99 * share, (i): Filter => not({ kind: 'range', field: amount, range: { lt: `-${i}`, gt: `-${i}.5` } })),
    ]),
  'ranges against ranges': (share) =>
    all(
      times(100 * share, (i) => not({ kind: 'range', field: amount, range: { gt: decimal(i), lt: decimal(i + 1) } })),
    ),
  'long lists, deep down': (share) => {
    let filter: Filter = { kind: 'in', field: id, values: times(900 * share, longText) }
    for (let i = 0; i < 48 * share; i++)
      filter = (i % 2 ? all : any)([filter, { kind: 'startsWith', field: city, text: longText(i) }])
    return filter
  },
  'products of alternatives': (share) =>
    all(
      times(33 * share, (i) =>
        any([
          { kind: 'in', field: region, values: ['EUROPE', 'ASIA'] },
          { kind: 'in', field: country, values: times(20, (n) => `${i}-${n}`) },
          { kind: 'range', field: count, range: { gt: i } },
        ]),
      ),
    ),
  'lists against lists': (share) =>
    all(
      times(100 * share, (i): Filter => {
        const values = times(9, (n) => longText(i + n))
        return i % 2 ? { kind: 'hasAny', field: tags, values } : not({ kind: 'hasAll', field: tags, values })
      }),
    ),
}

test.each(Object.keys(COSTLY))('what a plan costs grows no faster than the square of the filter: %s', async (name) => {
  const filterOf = COSTLY[name] as (share: number) => Filter
  const [whole, quarter] = [filterOf(1), filterOf(1 / 4)]
  const plan = (filter: Filter) => () => planOf(filter, sales).test
  const ms = await bestMs(15, { whole: plan(whole), quarter: plan(quarter) })
  expect(ms.whole / ms.quarter).toBeLessThan(40)
})
