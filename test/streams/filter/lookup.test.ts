import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Filter } from '../../../src/streams/filter/filter.ts'
import { planOf } from '../../../src/streams/filter/plan.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'
import type { Selection } from '../../../src/streams/topic/where.ts'
import { FIELDS, type Sale, sales } from './shop.ts'

const { amount, city, count, country, id, isPaid, merchant, nested, placedAt, region, weight } = FIELDS
const all = (...of: Filter[]): Filter => ({ kind: 'all', of })
const any = (...of: Filter[]): Filter => ({ kind: 'any', of })
const is = (
  field: Filter extends infer F ? Extract<F, { field: unknown }>['field'] : never,
  ...values: unknown[]
): Filter => ({ kind: 'in', field, values })
const europe = is(region, 'EUROPE')
const inA: Filter = { kind: 'contains', field: city, text: 'a' }

function planned(filter: Filter, where?: Selection<Sale>) {
  const { selection, explain } = planOf(filter, sales, where)
  return { selection, tests: explain.tests }
}

test('equality with indexed values is looked up, whatever path of the output type leads to them', () => {
  expect(planned(europe)).toEqual({ selection: { region: 'EUROPE' }, tests: [] })
  expect(planned(is(merchant, 'm_1', 'm_2'))).toEqual({ selection: { merchantId: { in: ['m_1', 'm_2'] } }, tests: [] })
  expect(planned({ kind: 'null', field: isPaid })).toEqual({
    selection: { isPaid: { in: [null, undefined] } },
    tests: [],
  })
  expect(planned(all(europe, is(isPaid, true), inA))).toEqual({
    selection: { region: 'EUROPE', isPaid: true },
    tests: ['city contains "a"'],
  })
  expect(planned({ kind: 'not', of: europe })).toEqual({ selection: {}, tests: ['not region in EUROPE'] })
})

test('equal values of other types are looked up too', () => {
  expect(planned(is(id, '7', 'x')).selection).toEqual({ id: { in: ['7', 7, 7n, 'x'] } })
  expect(planned(is(count, 7)).selection).toEqual({ count: { in: [7, 7n] } })
})

test('ranges of ordered values are looked up, by any path; what a lookup cannot say is tested', () => {
  const range: Filter = { kind: 'range', field: amount, range: { gte: '1.50', lt: '10' } }
  expect(planned(range)).toEqual({ selection: { amount: { gte: '1.5', lt: '10' } }, tests: [] })
  expect(planned(is(placedAt, '2026-11-27T12:00:00+02:00'))).toEqual({
    selection: { placedAt: { gte: new Date('2026-11-27T10:00:00Z'), lte: new Date('2026-11-27T10:00:00Z') } },
    tests: [],
  })
  // Beyond milliseconds.
  expect(planned({ kind: 'range', field: placedAt, range: { gt: '2026-11-27T10:00:00.00025Z' } })).toEqual({
    selection: { placedAt: { gte: new Date('2026-11-27T10:00:00Z') } },
    tests: ['placedAt > 2026-11-27T10:00:00.00025Z'],
  })
  // Of values that have many spellings the range around them.
  expect(planned(is(amount, '3', '1.0', '2'))).toEqual({
    selection: { amount: { gte: '1', lte: '3' } },
    tests: ['total.amount in 3, 1, 2'],
  })
})

test('alternatives of lookups are looked up one by one', () => {
  const big: Filter = { kind: 'range', field: count, range: { gt: 5 } }
  expect(planned(any(all(europe, inA), is(merchant, 'm_1')))).toEqual({
    selection: [{ merchantId: 'm_1' }, { region: 'EUROPE' }],
    tests: ['(merchant.id in m_1 or (city contains "a" and region in EUROPE))'],
  })
  expect(planned(all(europe, any(is(merchant, 'm_1'), big)))).toEqual({
    selection: [
      { region: 'EUROPE', count: { gt: 5 } },
      { region: 'EUROPE', merchantId: 'm_1' },
    ],
    tests: [],
  })
  // One alternative that cannot be looked up makes every event a candidate.
  expect(planned(any(europe, inA)).selection).toEqual({})
})

test('a contradiction is nothing to look up', () => {
  const nothing = { selection: [], tests: [] }
  expect(planned(all(europe, is(region, 'ASIA')))).toEqual(nothing)
  expect(planned(all(europe, any(all(is(region, 'ASIA'), inA), all(is(region, 'AFRICA'), inA))))).toEqual(nothing)
  expect(planned(all({ kind: 'range', field: weight, range: { gt: 2, lt: 1 } }))).toEqual(nothing)
  expect(planned(any())).toEqual(nothing)
  expect(planned(europe, [])).toEqual(nothing)
  expect(planned(europe, { region: 'ASIA' } as Selection<Sale>)).toEqual(nothing)
})

test('a filter narrows what the definition selects, and never widens it', () => {
  const where = (selection: object) => selection as Selection<Sale>
  expect(planned(all(), where({ region: 'EUROPE' }))).toEqual({ selection: { region: 'EUROPE' }, tests: [] })
  expect(planned(is(region, 'EUROPE', 'ASIA'), where({ region: { in: ['ASIA', 'AFRICA'] } })).selection).toEqual({
    region: 'ASIA',
  })
  const range: Filter = { kind: 'range', field: amount, range: { lt: '10' } }
  expect(planned(range, where({ amount: { gt: '1' } })).selection).toEqual({ amount: { gt: '1', lt: '10' } })
  expect(planned(range, where({ amount: { in: ['9.99', '10.0', '11', 'x'] } })).selection).toEqual({ amount: '9.99' })
  expect(planned(is(merchant, 'm_1'), where([{ region: 'ASIA' }, { isPaid: { in: [true, null] } }])).selection).toEqual(
    [
      { region: 'ASIA', merchantId: 'm_1' },
      { isPaid: { in: [true, null] }, merchantId: 'm_1' },
    ],
  )
})

test('what would be too many combinations is tested instead, the longest list being looked up', () => {
  const countries = Array.from({ length: 600 }, (_, i) => `c_${i}`)
  const { selection, tests } = planned(all(is(region, 'EUROPE', 'ASIA'), is(country, ...countries)))
  expect(selection).toEqual({ country: { in: countries } })
  expect(tests).toEqual(['region in EUROPE, ASIA'])
  const pairs = Array.from({ length: 33 }, (_, i) => all(is(country, `c_${i}`), is(merchant, `m_${i}`)))
  expect(planned(any(...pairs)).selection).toEqual({})
  expect(planned(any(...pairs.slice(1))).selection).toHaveLength(32)
})

test('a nested value, a value of another kind, and a function by the name of a property are not looked up', () => {
  expect(planned(is(nested, '1')).selection).toEqual({})
  const topic = defineTopic('others', {
    schema: z.object({ region: z.string(), amount: z.number() }),
    index: { region: ({ region: text }) => text.length },
    ordered: ['amount'],
  })
  expect(planOf(europe, topic as never).selection).toEqual({})
  expect(planOf({ kind: 'range', field: amount, range: { gt: '1' } }, topic as never).selection).toEqual({})
})

test('a function of the index and a property of the order may have one name', () => {
  const topic = defineTopic('others', {
    schema: z.object({ count: z.number() }),
    index: { count: ({ count: n }) => n % 2 },
    ordered: ['count'],
  })
  const { selection, test: passes } = planOf(
    { kind: 'range', field: count, range: { gt: 5 } },
    topic as never,
    { count: 1 } as never,
  )
  expect(selection).toEqual({ count: 1 })
  // The range is not looked up: all of it is tested.
  expect([passes?.({ count: 5 } as never), passes?.({ count: 7 } as never)]).toEqual([false, true])
})

test('a range of what is not ordered is an error of the definition, an operator of another kind one of the schema', () => {
  expect(() => planned(europe, { region: { gt: 'A' } } as never)).toThrow('The topic is not ordered by "region"')
  expect(() => planned({ kind: 'range', field: city, range: { gt: 'a' } })).toThrow('The field "city" has no order')
  expect(() => planned({ kind: 'contains', field: id, text: '1' })).toThrow('The field "id" is no text')
  expect(() => planned({ kind: 'hasAll', field: city, values: [] })).toThrow('The field "city" is no list')
})

test('an explanation is short, whatever the filter', () => {
  const values = Array.from({ length: 400 }, (_, i) => `${i}`.padEnd(80, 'x'))
  const { explain } = planOf(all(is(country, ...values), is(city, ...values)), sales)
  expect(JSON.stringify(explain).length).toBeLessThan(2_000)
  expect(JSON.parse(JSON.stringify(explain))).toEqual(explain)
  expect(explain.tests[0]).toMatch(/^city in 0x{59}…, .*, and 390 more$/)
})
