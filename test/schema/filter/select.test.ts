import { type GraphQLObjectType, parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { prepareOperation } from '../../../src/delivery/operation/operation.ts'
import { schema } from '../../../src/resolvers/schema.ts'
import { ANONYMOUS, type Context } from '../../../src/schema/context.ts'
import type { StreamEvent } from '../../../src/streams/event.ts'
import { anOrder } from '../../kit/gateway.ts'

const context: Context = { audience: ANONYMOUS, streams: { feeds: [] } as unknown as Context['streams'] }

function prepared(query: string, variables?: Record<string, unknown>) {
  const document = parse(query)
  expect(validate(schema, document)).toEqual([])
  const operation = prepareOperation({ schema, document, operationName: undefined, variables, context })
  if (!('stream' in operation) || !operation.stream) throw new Error('It is no stream')
  return { ...operation, select: operation.stream.select }
}

function selected(field: string) {
  return prepared(`subscription { ${field} { id } }`).select
}

function eventOf(differences: Parameters<typeof anOrder>[0]): StreamEvent {
  return { value: anOrder(differences) } as unknown as StreamEvent
}

test('a condition on a field that is a property of the index is looked up, and nothing is left to test', () => {
  expect(selected('orders(where: { region: { eq: ASIA } })')).toMatchObject({ selection: { region: 'ASIA' } })
  expect(selected('orders(where: { region: { eq: ASIA } })').test).toBeUndefined()
  const two = selected('orders(where: { merchantId: { in: ["a", "b"] }, region: { eq: ASIA } })')
  expect(two).toMatchObject({ selection: { region: 'ASIA', merchantId: { in: ['a', 'b'] } } })
  expect(two.test).toBeUndefined()
})

test('a range is looked up by the property that the field shows, whatever its path in the API', () => {
  const { selection } = selected('orders(where: { total: { amount: { gte: "10", lt: "20" } } })')
  expect(selection).toEqual({ amount: { gte: '10', lt: '20' } })
})

test("the client's filter and the field's own where are looked up together", () => {
  const select = selected('ordersByRegion(region: ASIA, where: { merchantId: { eq: "m" }, city: { contains: "x" } })')
  expect(select.selection).toEqual({ region: 'ASIA', merchantId: 'm' })
  expect(['x', 'axb', 'ab'].map((city) => select.test?.(eventOf({ city })))).toEqual([true, true, false])
})

test.each([
  'ordersByRegion(region: ASIA, where: { region: { eq: EUROPE } })',
  'orders(where: { region: { in: [] } })',
  'orders(where: { city: { eq: "a" }, and: [{ city: { eq: "b" } }] })',
  'orders(where: { itemCount: { gt: 5, lt: 5 } })',
  'orders(where: { not: {} })',
])('a filter that nothing can meet selects nothing, so that no event is asked about: %s', (field) => {
  expect(selected(field).selection).toEqual([])
})

test('alternatives are looked up one by one', () => {
  const { selection, test } = selected('orders(where: { or: [{ region: { eq: ASIA } }, { merchantId: { eq: "m" } }] })')
  expect(selection).toEqual(expect.arrayContaining([{ region: 'ASIA' }, { merchantId: 'm' }]))
  expect(test).toBeUndefined()
})

test('it can be explained', () => {
  const { explain } = selected('orders(where: { region: { eq: ASIA }, city: { startsWith: "A" } })')
  expect(JSON.stringify(explain)).toMatch(/region.*city/)
})

test('a filter takes the place of its argument in the key of an operation, and is none of its body', () => {
  const keys = (query: string, variables?: Record<string, unknown>) => {
    const { key, bodyKey } = prepared(query, variables)
    return { key, bodyKey }
  }
  const none = keys('subscription { orders { id } }')
  const one = keys('subscription { orders(where: { city: { eq: "a" } }) { id } }')
  const same = keys('subscription($where: OrderFilter) { orders(where: $where) { id } }', {
    where: { city: { in: ['a', 'a'] } },
  })
  const other = keys('subscription { orders(where: { city: { eq: "b" } }) { id } }')
  expect(same).toEqual(one)
  expect(new Set([none.key, one.key, other.key]).size).toBe(3)
  expect(new Set([none.bodyKey, one.bodyKey, other.bodyKey]).size).toBe(1)
  expect(keys('subscription { orders(where: null) { id } }')).toEqual(none)
})

test('an operation weighs more with a filter', () => {
  const weight = (query: string) => prepared(query).weight.own
  expect(weight('subscription { orders(where: { city: { eq: "a" } }) { id } }')).toBeGreaterThan(
    weight('subscription { orders { id } }') + 1000,
  )
})

test('every stream of orders takes a filter', () => {
  const fields = (schema.getSubscriptionType() as GraphQLObjectType).getFields()
  for (const name of ['orders', 'ordersByRegion', 'ordersByMerchant']) {
    const where = fields[name]?.args.find((argument) => argument.name === 'where')
    expect(String(where?.type), name).toBe('OrderFilter')
  }
})
