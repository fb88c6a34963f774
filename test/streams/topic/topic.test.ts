import { expect, test } from 'vitest'
import { z } from 'zod'
import type { EventRecord } from '../../../src/streams/event.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'
import type { Where } from '../../../src/streams/topic/where.ts'

const Payment = z.object({ id: z.string(), merchant: z.object({ id: z.string() }), paid: z.boolean().optional() })
const Card = z.object({ kind: z.literal('card'), id: z.string(), brand: z.string() })
const Cash = z.object({ kind: z.literal('cash'), id: z.string() })
const Either = z.discriminatedUnion('kind', [Card, Cash])
const nested: z.ZodType<{ id: string; inner?: unknown }> = z.lazy(() =>
  z.object({ id: z.string(), inner: nested.optional() }),
)
const endless: z.ZodType<{ id: string }> = z.lazy(() => endless)

const notYet = (): never => {
  throw new ReferenceError('It is not defined yet')
}

/** As a caller without types would, or one that defines its topics from data. */
function index(schema: z.ZodType, ...properties: string[]): () => unknown {
  return () => defineTopic('payments', { schema, index: properties as never })
}

test.each<[what: string, schema: z.ZodType, property: string]>([
  ['an object', Payment, 'id'],
  ['an optional property', Payment, 'paid'],
  ['an extended object', Payment.extend({ more: z.string() }), 'more'],
  ['a strict object', z.strictObject({ id: z.string() }), 'id'],
  ['an object that keeps what it does not know', z.looseObject({ id: z.string() }), 'other'],
  ['every option of a union', z.union([Card, Cash]), 'id'],
  ['every option of a discriminated union', Either, 'kind'],
  ['one side of an intersection', z.intersection(Payment, z.object({ more: z.string() })), 'more'],
  ['an object that may be null', Payment.nullable(), 'id'],
  ['a union with null', z.union([z.null(), z.undefined(), Payment]), 'id'],
  ['an object with a default', Payment.default({ id: '', merchant: { id: '' } }).readonly(), 'id'],
  ['an object that is checked further', Payment.refine(() => true), 'id'],
  ['what a pipe ends in', z.string().pipe(z.preprocess((text) => JSON.parse(String(text)), Payment)), 'id'],
  ['a recursive schema', nested, 'inner'],
])('%s has an indexed property', (_what, schema, property) => {
  expect(index(schema, property)).not.toThrow()
})

test.each<[what: string, schema: z.ZodType]>([
  ['a transform', Payment.transform(({ id }) => ({ other: id }))],
  ['a record', z.record(z.string(), z.string())],
  ['anything', z.any()],
  ['a custom schema', z.custom<{ other: string }>()],
  ['a schema that is defined later', z.lazy((): z.ZodType => notYet())],
  [
    'an object of a schema that is defined later',
    z.object({
      get inner(): z.ZodType {
        return notYet()
      },
    }),
  ],
  ['a schema without an end', endless],
])('%s cannot be inspected, so that the index is taken at its word', (_what, schema) => {
  expect(index(schema, 'other')).not.toThrow()
})

test.each<[what: string, schema: z.ZodType, property: string]>([
  ['an object', Payment, 'colour'],
  ['a nested property', Payment, 'merchant.id'],
  ["an object's prototype", Payment, 'toString'],
  ['a strict object', z.strictObject({ id: z.string() }), 'other'],
  ['an object that may be absent', Payment.nullish(), 'colour'],
  ['no option of a union', Either, 'colour'],
  ['no side of an intersection', z.intersection(Payment, Card), 'colour'],
  ['the input of a pipe', z.object({ text: z.string() }).pipe(Payment as never), 'text'],
  ['nothing but null', z.union([z.null(), z.undefined()]), 'id'],
])('%s without the indexed property is refused by name', (_what, schema, property) => {
  const message = `The topic "payments" cannot be indexed by "${property}": its schema has no such property`
  expect(index(schema, property)).toThrow(new TypeError(message))
})

test('a property of some options of a union is refused, since the others would never be found', () => {
  const message = 'The topic "payments" cannot be indexed by "brand": not every option of its schema has this property'
  expect(index(Either, 'id', 'brand')).toThrow(new TypeError(message))
  expect(index(z.union([z.string(), Card, Cash]), 'brand')).toThrow(new TypeError(message))
  // A function can say what it is for each.
  const topic = defineTopic('payments', {
    schema: Either,
    index: { brand: (payment) => (payment.kind === 'card' ? payment.brand : null) },
  })
  expect(topic.index).toEqual(['brand'])
})

test('an index of functions is by name, and what is no function is refused', () => {
  const topic = defineTopic('payments', { schema: Payment, index: { merchantId: ({ merchant }) => merchant.id } })
  expect([topic.index, [...topic.indexed.keys()]]).toEqual([['merchantId'], ['merchantId']])
  expect(() => defineTopic('payments', { schema: Payment, index: { merchantId: true as never } })).toThrow(
    new TypeError('The index "merchantId" of the topic "payments" is no function'),
  )
})

test('tombstones are skipped, or a function says what they are', () => {
  expect(defineTopic('payments', { schema: Payment }).tombstone).toBeUndefined()
  expect(defineTopic('payments', { schema: Payment, tombstones: 'skip' }).tombstone).toBeUndefined()
  expect(() => defineTopic('payments', { schema: Payment, tombstones: 'delete' as never })).toThrow(
    new TypeError(`The tombstones of the topic "payments" are 'skip' or a function`),
  )
})

test.each(['', 'a b', 'ü', 'x'.repeat(250)])('%j is no name of a topic', (name) => {
  expect(() => defineTopic(name, { schema: Payment })).toThrow(/is not a topic name/)
})

/** What does not compile here is the test: tsc fails on a `@ts-expect-error` that expects in vain. */
function misuses(): void {
  // @ts-expect-error: "colour" is no property of a payment
  defineTopic('payments', { schema: Payment, index: ['colour'] })
  // @ts-expect-error: "brand" is no property of every option
  defineTopic('payments', { schema: Either, index: ['brand'] })
  // @ts-expect-error: an index compares text, numbers and booleans
  defineTopic('payments', { schema: Payment, index: { merchant: ({ merchant }) => merchant } })
  // @ts-expect-error: an index answers at once
  defineTopic('payments', { schema: Payment, index: { id: async ({ id }) => id } })
  // @ts-expect-error: a payment has no merchantId
  defineTopic('payments', { schema: Payment, index: { merchantId: ({ merchantId }) => merchantId } })
  // @ts-expect-error: a record has no value
  defineTopic('payments', { schema: Payment, index: { id: (_payment, { value }) => value } })
  // @ts-expect-error: a tombstone's event is a payment
  defineTopic('payments', { schema: Payment, tombstones: ({ key }) => ({ id: key }) })
  // @ts-expect-error: a tombstone's event is there at once
  defineTopic('payments', { schema: Payment, tombstones: async () => ({ id: '', merchant: { id: '' } }) })
  // @ts-expect-error: a record is not to be changed
  defineTopic('payments', { schema: Payment, codec: (_bytes, record) => (record.offset = 0) })
}

test('what a where may name, and with which values, follows from the index', () => {
  if (Date.now() < 0) misuses()
  const topic = defineTopic('payments', {
    schema: Payment,
    index: {
      merchantId: ({ merchant }) => merchant.id,
      key: (_payment, { key }) => key,
      late: ({ paid }, { timestamp }) => paid !== true && timestamp > 0,
    },
    tombstones: ({ key }) => ({ id: key ?? '', merchant: { id: '' } }),
  })
  type Indexed = NonNullable<typeof topic.indexedTypes>
  const wheres: Where<Indexed>[] = [
    { merchantId: 'm_1', key: null, late: true },
    { merchantId: { in: ['m_1', 'm_2'] } },
    // @ts-expect-error: a merchant's id is text
    { merchantId: 7 },
    // @ts-expect-error: no index is called id
    { id: 'p_1' },
    // @ts-expect-error: it is true or false
    { late: { in: ['yes'] } },
  ]
  expect(wheres).toHaveLength(5)
  const byProperty = defineTopic('payments', { schema: Payment, index: ['id', 'paid'] })
  const where: Where<NonNullable<typeof byProperty.indexedTypes>> = { id: 'p_1', paid: { in: [true, undefined] } }
  expect(where.id).toBe('p_1')
  const record: EventRecord = { partition: 0, offset: 0, timestamp: 0, key: 'p_1', headers: {} }
  expect(topic.tombstone?.(record)).toEqual({ id: 'p_1', merchant: { id: '' } })
})
