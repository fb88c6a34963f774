import fc from 'fast-check'
import { z } from 'zod'
import type { StreamEvent } from '../../../src/streams/event.ts'
import type { OrderKind } from '../../../src/streams/topic/ordered.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'
import type { Selection, Where } from '../../../src/streams/topic/where.ts'
import { isMet } from '../../kit/selection.ts'

/** Events with values of each kind of order, and selections of every form that select a part of them. */
const Sample = z.object({
  region: z.string().nullable(),
  shop: z.int(),
  count: z.unknown(),
  price: z.unknown(),
  at: z.unknown(),
})
export type Sample = z.output<typeof Sample>

export const KINDS = { count: 'number', price: 'decimal', at: 'instant' } satisfies Record<string, OrderKind>
export type OrderedName = keyof typeof KINDS
export const ORDERED = Object.keys(KINDS) as OrderedName[]

export const samples = defineTopic('samples', {
  schema: Sample,
  index: ['region', 'shop'],
  ordered: { count: { kind: 'number' }, price: { kind: 'decimal' }, at: { kind: 'instant' } },
})

const small = fc.integer({ min: 0, max: 9 })
const MANY_DIGITS = '0'.repeat(400)

const region = fc.constantFrom('x', 'y', 'z', null)
const shop = fc.integer({ min: 0, max: 3 })
const count = fc.oneof(
  { weight: 8, arbitrary: small },
  fc.constantFrom<unknown>(-0, 3.5, 5e-324, 2n ** 64n, 2n ** 64n + 1n, 2 ** 64, 4n, Number.POSITIVE_INFINITY),
)
const price = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(small, fc.constantFrom('', '.0', '.00', '.50')).map((parts) => parts.join('')) },
  fc.constantFrom<unknown>(
    '-0',
    '-7.25',
    '05',
    '9007199254740993',
    '9007199254740992',
    '9007199254740992.5',
    '4.00000000000000000000000000001',
    '4.00000000000000000000000000002',
    `1${MANY_DIGITS}`,
    `2${MANY_DIGITS}`,
    `-1${MANY_DIGITS}`,
  ),
)
const at = fc.oneof(
  { weight: 4, arbitrary: small.map((second) => `2026-11-27T10:00:0${second}Z`) },
  { weight: 2, arbitrary: small.map((second) => new Date(Date.UTC(2026, 10, 27, 10, 0, second))) },
  { weight: 2, arbitrary: small.map((second) => `2026-11-27T15:30:0${second}.5+05:30`) },
  fc.constantFrom<unknown>(
    '2026-11-27T10:00Z',
    '2026-11-27T10:00:04.0001Z',
    '2026-11-27T10:00:04.0002Z',
    '2026-11-27T10:00:04.000100Z',
    '1969-12-31T23:59:59.9999Z',
    '9999-12-31T23:59:59-23:59',
  ),
)
const unordered = fc.constantFrom<unknown>(null, undefined, Number.NaN, '', 'x', '1e3', '2026-02-30T10:00:00Z', true)

const valuesOf: Record<OrderedName, fc.Arbitrary<unknown>> = { count, price, at }
const mostly = (arbitrary: fc.Arbitrary<unknown>) => fc.oneof({ weight: 19, arbitrary }, unordered)

export const sample: fc.Arbitrary<Sample> = fc.record({
  region,
  shop,
  count: mostly(count),
  price: mostly(price),
  at: mostly(at),
})

function wanted(item: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 10, arbitrary: item },
    { weight: 10, arbitrary: fc.record({ in: fc.array(item, { minLength: 1, maxLength: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ in: fc.constant([]) }) },
  )
}

/** Half open, closed, without a value between the bounds, and without an order. */
function range(name: OrderedName): fc.Arbitrary<unknown> {
  const bound = fc.oneof({ weight: 30, arbitrary: valuesOf[name] }, unordered)
  const lower = fc.constantFrom('gt', 'gte')
  const upper = fc.constantFrom('lt', 'lte')
  const closed = fc.tuple(lower, bound, upper, bound)
  const halfOpen = fc.tuple(fc.oneof(lower, upper), bound).map((one) => Object.fromEntries([one]))
  return fc.oneof(
    { weight: 12, arbitrary: halfOpen },
    {
      weight: 11,
      arbitrary: closed.map(([low, one, high, other]) => {
        const [from, to] = isMet({ lte: other }, one, KINDS[name]) ? [one, other] : [other, one]
        return { [low]: from, [high]: to }
      }),
    },
    { weight: 2, arbitrary: closed.map(([low, from, high, to]) => ({ [low]: from, [high]: to })) },
    { weight: 1, arbitrary: fc.record({ gt: bound, gte: bound, lt: bound, lte: bound }, { requiredKeys: [] }) },
  )
}

function orderedCondition(name: OrderedName): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 9, arbitrary: range(name) }, wanted(mostly(valuesOf[name])))
}

const conditions: Record<keyof Sample, fc.Arbitrary<unknown>> = {
  region: wanted(region),
  shop: wanted(shop),
  count: orderedCondition('count'),
  price: orderedCondition('price'),
  at: orderedCondition('at'),
}

const NAMES = Object.keys(conditions) as (keyof Sample)[]

/** Up to three conditions: of more, nearly nothing would meet all. */
const where = fc
  .oneof(
    { weight: 1, arbitrary: fc.constant<(keyof Sample)[]>([]) },
    { weight: 30, arbitrary: fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }) },
  )
  .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, conditions[name]])))) as fc.Arbitrary<
  Where<Sample>
>

export const selection: fc.Arbitrary<Selection<Sample>> = fc.oneof(
  { weight: 3, arbitrary: where },
  fc.array(where, { maxLength: 4 }),
)

let offsets = 0

export function eventOf(value: Sample, { partition = 0, offset = offsets++ } = {}): StreamEvent<Sample> {
  const record = { partition, offset, timestamp: 0, key: null, headers: {} }
  return { kind: 'event', topic: samples.name, ...record, value }
}
