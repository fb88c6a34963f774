import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { StreamEvent } from '../../../src/streams/event.ts'
import { decode } from '../../../src/streams/topic/decode.ts'
import { approximately, exactly, type OrderKind } from '../../../src/streams/topic/ordered.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'
import type { Where } from '../../../src/streams/topic/where.ts'
import { isMet } from '../../kit/selection.ts'
import { Statistics } from '../../kit/statistics.ts'

const Payment = z.object({
  id: z.string(),
  amount: z.string().regex(/^\d+\.\d\d$/),
  fee: z.number().optional(),
  paidAt: z.iso.datetime().nullable(),
  merchant: z.object({ rating: z.number() }),
})

/** As a caller without types would, or one that defines its topics from data. */
function order(schema: z.ZodType, ordered: unknown): () => unknown {
  return () => defineTopic('payments', { schema, ordered: ordered as never })
}

test.each<[what: string, schema: z.ZodType, kind: OrderKind]>([
  ['a number', z.number().min(0), 'number'],
  ['an integer', z.int(), 'number'],
  ['a bigint', z.bigint(), 'number'],
  ['a number that may be absent', z.number().nullish(), 'number'],
  ['a number of several kinds', z.union([z.int(), z.number(), z.null()]), 'number'],
  ['text of a pattern', z.string().regex(/^\d+$/), 'decimal'],
  ['text', z.string().default('0'), 'decimal'],
  ['a time as text', z.iso.datetime({ offset: true }), 'instant'],
  ['a time as text that is checked', z.string().datetime(), 'instant'],
  ['a date', z.date(), 'instant'],
  ['text that becomes a date', z.iso.datetime().pipe(z.coerce.date()), 'instant'],
  ['what is defined by a function', z.lazy(() => z.number()), 'number'],
  ['a branded number', z.number().brand('cents').readonly(), 'number'],
])('%s has its order by the schema', (_what, property, kind) => {
  const topic = defineTopic('payments', { schema: z.object({ property }), ordered: ['property'] })
  expect(topic.ordered.get('property')).toMatchObject({ kind, property: 'property' })
})

test.each<[what: string, schema: z.ZodType]>([
  ['a boolean', z.boolean()],
  ['an enum', z.enum(['A', 'B'])],
  ['a literal', z.literal(3)],
  ['an object', z.object({})],
  ['a list', z.array(z.number())],
  ['numbers or text', z.union([z.number(), z.string()])],
  ['numbers or a boolean', z.number().or(z.boolean())],
  ['anything', z.any()],
  ['a custom schema', z.custom<number>()],
  ['what a transform returns', z.string().transform(Number)],
  ['nothing but null', z.null()],
])('%s has no order that the schema says, which is refused by name', (_what, property) => {
  expect(order(z.object({ property }), ['property'])).toThrow(
    new TypeError(
      'The topic "payments" cannot be ordered by "property": its schema does not say that this is a number, a time or ' +
        'text of decimals; { kind } does',
    ),
  )
  expect(order(z.object({ property }), { property: { kind: 'number' } })).not.toThrow()
})

test('an ordered property that the schema does not have is refused by name', () => {
  const message = 'The topic "payments" cannot be ordered by "colour": its schema has no such property'
  expect(order(Payment, ['colour'])).toThrow(new TypeError(message))
  expect(order(Payment, { colour: { kind: 'number' } })).toThrow(new TypeError(message))
  const either = z.union([Payment, z.object({ id: z.string() })])
  expect(order(either, ['amount'])).toThrow('not every option of its schema has this property')
})

test('what is no kind and no function is refused', () => {
  expect(order(Payment, { fee: { kind: 'text' } })).toThrow(
    new TypeError('The order "fee" of the topic "payments" has a kind that is none of number, decimal, instant'),
  )
  expect(order(Payment, { fee: { kind: 'number', read: true } })).toThrow(
    new TypeError('The order "fee" of the topic "payments" is no function'),
  )
})

function eventsOf(topic: ReturnType<typeof defineByFunctions>, value: object) {
  const failures: string[] = []
  const bytes = Buffer.from(JSON.stringify(value))
  const record = { partition: 0, offset: 0, timestamp: 7, key: null, value: bytes, headers: undefined }
  const event = decode(topic, record, { indexFailed: (error, name) => failures.push(`${name}: ${error}`) })
  return { event: event as StreamEvent, failures }
}

function defineByFunctions() {
  return defineTopic('payments', {
    schema: Payment,
    index: { ownerId: ({ id }) => id },
    ordered: {
      rating: { kind: 'number', read: ({ merchant }) => merchant.rating },
      late: { kind: 'number', read: (_payment, { timestamp }) => timestamp },
      fee: { kind: 'number' },
      broken: {
        kind: 'decimal',
        read: () => {
          throw new RangeError('no such digit')
        },
      },
      wrong: { kind: 'instant', read: (() => Promise.reject(new Error('later'))) as never },
    },
  })
}

test('functions are called once for an event, and one that fails gives no order', () => {
  const topic = defineByFunctions()
  const value = { id: 'p_1', amount: '1.00', fee: 2.5, paidAt: null, merchant: { rating: 4 } }
  const { event, failures } = eventsOf(topic, value)
  expect(event.indexed).toHaveLength(5)
  expect(failures).toEqual([
    'broken: RangeError: no such digit',
    'wrong: TypeError: The function of the order "wrong" returned a value of type object',
  ])
  const read = (name: string) => topic.ordered.get(name)?.read(event)
  expect(['rating', 'late', 'fee', 'broken', 'wrong'].map(read)).toEqual([4, 7, 2.5, Number.NaN, Number.NaN])
  expect(topic.indexed.get('ownerId')?.(event)).toBe('p_1')
  expect([
    topic.isIndexedByProperty,
    topic.ordered.get('rating')?.property,
    topic.ordered.get('fee')?.property,
  ]).toEqual([false, undefined, 'fee'])
})

test('a property that cannot be read has no order', () => {
  class Odd {
    get depth(): number {
      throw new Error('not yet')
    }
  }
  const topic = defineTopic('odd', { schema: z.custom<Odd>(), ordered: { depth: { kind: 'number' } } })
  const event = { kind: 'event', topic: 'odd', partition: 0, offset: 0, timestamp: 0, key: null, headers: {} } as const
  expect(topic.ordered.get('depth')?.read({ ...event, value: new Odd() })).toBeNaN()
  expect(topic.ordered.get('depth')?.read({ ...event, value: null })).toBeNaN()
})

const digits = fc.stringMatching(/^-?0{0,2}\d{1,25}(\.\d{1,25})?$/)
const instant = fc
  .tuple(
    fc.date({ min: new Date('1960-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
    fc.stringMatching(/^\d{0,6}$/),
    fc.constantFrom('Z', '+05:30', '-11:00'),
  )
  .map(([date, beyond, zone]) => `${date.toISOString().slice(0, -1)}${beyond}${zone}`)
const odd = fc.constantFrom<unknown>('', ' 1', '1.', '.5', '+1', '1e3', '0x10', 'Infinity', null, {}, [], 7n)
const orderedValue: Record<OrderKind, fc.Arbitrary<unknown>> = {
  number: fc.oneof(fc.double(), fc.integer(), fc.bigInt(), odd),
  decimal: fc.oneof({ weight: 6, arbitrary: digits }, odd),
  instant: fc.oneof({ weight: 6, arbitrary: instant }, fc.date(), odd),
}

test.each(['number', 'decimal', 'instant'] as const)('the places of %ss are in the order of the values', (kind) => {
  const statistics = new Statistics(`places of a ${kind}`, ['less', 'greater', 'one place', 'no order'])
  const near = orderedValue[kind].chain((a) =>
    fc.tuple(fc.constant(a), fc.oneof(orderedValue[kind], fc.constant(neighbour(kind, a)))),
  )
  fc.assert(
    fc.property(near, ([a, b]) => {
      const [one, other] = [approximately(kind, a), approximately(kind, b)]
      if (Number.isNaN(one) || Number.isNaN(other)) {
        expect([isMet({ gte: b }, a, kind), isMet({ lte: b }, a, kind)]).toEqual([false, false])
        statistics.count('no order')
        return
      }
      const isLess = isMet({ lt: b }, a, kind)
      const isGreater = isMet({ gt: b }, a, kind)
      expect(isMet({ gte: b }, a, kind)).toBe(!isLess)
      if (isLess) expect(one).toBeLessThanOrEqual(other)
      if (isGreater) expect(one).toBeGreaterThanOrEqual(other)
      if (one === other) expect(Math.sign(exactly(kind, a, b) as number)).toBe(isLess ? -1 : isGreater ? 1 : 0)
      statistics.count(one < other ? 'less' : one > other ? 'greater' : 'one place')
    }),
    { numRuns: 5000 },
  )
  statistics.report()
})

/** A value that differs by less than a double can tell, or a millisecond. */
function neighbour(kind: OrderKind, value: unknown): unknown {
  if (typeof value === 'bigint') return value + 1n
  if (typeof value !== 'string' || !/\d/.test(value)) return value
  if (kind === 'decimal') return value.includes('.') ? `${value}1` : `${value}.${'0'.repeat(20)}1`
  return value.replace(/(Z|[+-]\d\d:\d\d)$/, '1$1')
}

/** What does not compile here is the test: tsc fails on a `@ts-expect-error` that expects in vain. */
function misuses(): void {
  // @ts-expect-error: "colour" is no property of a payment
  defineTopic('payments', { schema: Payment, ordered: ['colour'] })
  // @ts-expect-error: there is no such kind
  defineTopic('payments', { schema: Payment, ordered: { id: { kind: 'text' } } })
  // @ts-expect-error: a merchant has no order
  defineTopic('payments', { schema: Payment, ordered: { m: { kind: 'number', read: ({ merchant }) => merchant } } })
  // @ts-expect-error: a payment has no rating
  defineTopic('payments', { schema: Payment, ordered: { rating: { kind: 'number', read: ({ rating }) => rating } } })
}

test('what a where may name, and with which bounds, follows from index and order', () => {
  if (Date.now() < 0) misuses()
  const topic = defineTopic('payments', { schema: Payment, index: ['id'], ordered: ['amount', 'paidAt'] })
  const wheres: Where<NonNullable<typeof topic.indexedTypes>>[] = [
    { id: 'p_1', amount: { gte: '10', lt: '20' }, paidAt: { gt: '2026-11-27T00:00:00Z' } },
    { amount: { in: ['1.00', '2.00'] } },
    // @ts-expect-error: an amount is text
    { amount: { gte: 10 } },
    // @ts-expect-error: it is not ordered by the fee
    { fee: { gte: 10 } },
    // @ts-expect-error: there is no such bound
    { amount: { above: '10' } },
  ]
  expect(wheres).toHaveLength(5)
  const byFunction = defineByFunctions()
  const where: Where<NonNullable<typeof byFunction.indexedTypes>> = {
    ownerId: 'p_1',
    rating: { gte: 3 },
    fee: { lt: 1 },
  }
  expect(where.ownerId).toBe('p_1')
})
