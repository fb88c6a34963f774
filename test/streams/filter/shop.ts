import fc from 'fast-check'
import { z } from 'zod'
import type { FieldKind, FilterField } from '../../../src/streams/filter/filter.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'

/** Events with a property of each kind, and fields of an output type that show them. */
const Sale = z.object({
  id: z.unknown(),
  merchantId: z.string(),
  region: z.enum(['EUROPE', 'ASIA', 'AFRICA']),
  country: z.string().nullable(),
  city: z.string().nullable(),
  count: z.number(),
  weight: z.number(),
  amount: z.string(),
  total: z.object({ amount: z.string(), currency: z.string() }).nullable(),
  placedAt: z.string(),
  paidAt: z.unknown(),
  isPaid: z.boolean().nullable(),
  tags: z.array(z.string().nullable()).nullable(),
  sizes: z.array(z.number()),
  prices: z.array(z.string()),
})
export type Sale = z.output<typeof Sale>

export const sales = defineTopic('sales', {
  schema: Sale,
  index: ['id', 'merchantId', 'region', 'country', 'count', 'isPaid', 'amount'],
  ordered: { count: { kind: 'number' }, amount: { kind: 'decimal' }, placedAt: { kind: 'instant' } },
})

function field(path: string, kind: FieldKind, isList = false, properties: readonly string[] = path.split('.')) {
  const read = (value: unknown) =>
    properties.reduce((at, property) => (at as Record<string, unknown> | null | undefined)?.[property], value)
  return { path, kind, isList, properties, read } satisfies FilterField
}

/** A value that a resolver computes. */
function computed(path: string, kind: FieldKind, read: (value: unknown) => unknown): FilterField {
  return { path, kind, isList: false, properties: undefined, read }
}

/** What a client sees as `place`, and as `total.amount` although it is at the top level of the event. */
export const FIELDS = {
  id: field('id', 'id'),
  merchant: field('merchant.id', 'id', false, ['merchantId']),
  region: field('region', 'enum'),
  country: field('country', 'text'),
  city: field('city', 'text'),
  place: computed('place', 'text', (value) => {
    const sale = value as Sale | null
    return sale?.city == null ? null : `${sale.city}, ${sale.country ?? '?'}`
  }),
  count: field('count', 'number'),
  weight: field('weight', 'number'),
  amount: field('total.amount', 'decimal', false, ['amount']),
  nested: field('nested.amount', 'decimal', false, ['total', 'amount']),
  placedAt: field('placedAt', 'instant'),
  paidAt: field('paidAt', 'instant'),
  isPaid: field('isPaid', 'boolean'),
  total: field('total', 'object'),
  tags: field('tags', 'text', true),
  sizes: field('sizes', 'number', true),
  prices: field('prices', 'decimal', true),
} as const satisfies Record<string, FilterField>
export type FieldName = keyof typeof FIELDS

const decimals = fc.constantFrom(
  '0',
  '-0.0',
  '1',
  '1.0',
  '01.00',
  '1.5',
  '1.50',
  '-2',
  '12.25',
  '99999999999999999.1',
  '99999999999999999.10',
  '99999999999999999.2',
)
const times = fc.constantFrom(
  '2026-11-27T10:00:00Z',
  '2026-11-27T12:00:00.000+02:00',
  '2026-11-27T10:00:00.0001Z',
  '2026-11-27T10:00:00.00011Z',
  '2026-11-27T10:00:01Z',
  '1969-12-31T23:59:59.9999Z',
  '1970-01-01T00:00:00-00:30',
  '9999-12-31T23:59:59.999999Z',
)
const texts = fc.constantFrom('', 'ab', 'cab', '__proto__')
const numbers = fc.oneof(fc.integer({ min: -1, max: 2 }), fc.constantFrom(0.5, -0, 1e300))
const ids = fc.constantFrom('1', '2', '-1', 'm_1', '9007199254740993')

/** What clients send: as the API's scalars let through. */
export const CONSTANTS: Record<Exclude<FieldKind, 'object'>, fc.Arbitrary<unknown>> = {
  text: texts,
  id: ids,
  number: numbers,
  boolean: fc.boolean(),
  enum: fc.constantFrom('EUROPE', 'ASIA', 'AFRICA'),
  decimal: decimals,
  instant: fc.oneof(
    times,
    times.map((text) => new Date(text)),
  ),
}

/** The lower and the upper half of the constants of a kind that has an order, for ranges. */
export const HALVES: Record<'number' | 'decimal' | 'instant', readonly [fc.Arbitrary<unknown>, fc.Arbitrary<unknown>]> =
  {
    number: [fc.constantFrom(-3, -1, 0), fc.constantFrom(0.5, 1, 3, 1e300)],
    decimal: [fc.constantFrom('-2', '0', '-0.0', '1'), fc.constantFrom('1.5', '12.25', '99999999999999999.10')],
    instant: [
      fc.constantFrom('1969-12-31T23:59:59.9999Z', '1970-01-01T00:30:00Z', '2026-11-27T09:00:00-01:00'),
      fc.constantFrom('2026-11-27T10:00:00.0001Z', new Date('2026-11-27T10:00:01Z'), '9999-12-31T23:59:59.999999Z'),
    ],
  }

/** Values that are not of the kind that the schema says. */
export const STRANGE = fc.constantFrom<unknown>(
  Number.NaN,
  5,
  '5',
  'x',
  '1e3',
  true,
  {},
  [],
  Number.POSITIVE_INFINITY,
  new Date(Number.NaN),
  '2026-02-30T00:00:00Z',
  1n,
  null,
  undefined,
  ['a'],
  '.5',
)

/** Null is as frequent where the schema has none: each operator is asked of it. */
function mostly<T>(usual: fc.Arbitrary<T>): fc.Arbitrary<T | unknown> {
  return fc.oneof(
    { weight: 18, arbitrary: usual },
    { weight: 4, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: STRANGE },
  )
}

const { instant: instants } = CONSTANTS

/** Values of events, some of which are not as the schema says: one that transforms, or a codec, may be wrong. */
export const events: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({
      id: mostly(fc.oneof(ids, fc.constantFrom<unknown>(1, 2, 3n, 9007199254740993n))),
      merchantId: mostly(ids),
      region: mostly(CONSTANTS.enum),
      country: mostly(texts),
      city: mostly(texts),
      count: mostly(fc.oneof(numbers, fc.constantFrom<unknown>(1n, -2n, Number.NaN))),
      weight: mostly(numbers),
      amount: mostly(decimals),
      total: mostly(fc.record({ amount: mostly(decimals), currency: fc.constant('EUR') })),
      placedAt: mostly(instants),
      paidAt: mostly(instants),
      isPaid: mostly(fc.boolean()),
      tags: mostly(fc.array(fc.oneof(texts, fc.constant(null)), { maxLength: 4 })),
      sizes: mostly(fc.array(numbers, { maxLength: 4 })),
      prices: mostly(fc.array(decimals, { maxLength: 4 })),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, 'no object', 5, {}) },
)
