import { isObjectType } from 'graphql'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { createBuilder } from '../../src/schema/builder.ts'
import { defineTopic } from '../../src/streams/topic/topic.ts'
import { orders } from '../../src/streams/topics/orders.ts'

const Visit = z.object({ page: z.object({ path: z.string() }) })
const visits = defineTopic('visits', {
  schema: Visit,
  index: { path: ({ page }) => page.path, isMobile: (_visit, { headers }) => headers.device === 'mobile' },
})
const unindexed = defineTopic('visits', { schema: Visit })

type Order = z.output<typeof orders.schema>

/** As `misuses`. */
function misusedFilters(builder: ReturnType<typeof createBuilder>): void {
  const OrderType = builder.objectRef<Order>('Order')
  const OrderFilter = builder.filterFor(OrderType, { only: ['id'] })
  const VisitFilter = builder.filterFor(builder.objectRef<z.output<typeof Visit>>('Visit'))
  builder.queryField('filtered', (t) =>
    t.boolean({
      args: { where: t.arg({ type: OrderFilter }), visits: t.arg({ type: VisitFilter, required: true }) },
      resolve(_root, { where, visits: other }, context) {
        OrderFilter.select(orders, where, context, { region: 'ASIA' })
        // @ts-expect-error: the filter is of orders, and the topic of visits
        OrderFilter.select(visits, where, context)
        // @ts-expect-error: the argument is of another filter
        OrderFilter.select(orders, other, context)
        // @ts-expect-error: orders are not looked up by their city
        OrderFilter.select(orders, where, context, { city: 'Amsterdam' })
        // @ts-expect-error: only its filter reads the argument
        return where?.id === undefined
      },
    }),
  )
  builder.subscriptionField('wrongFilters', (t) =>
    t.stream({
      topic: orders,
      type: OrderType,
      // @ts-expect-error: a choice is of paths
      filters: { only: 'id' },
    }),
  )
}

/** What does not compile here is the test: tsc fails on a `@ts-expect-error` that expects in vain. */
function misuses(builder: ReturnType<typeof createBuilder>): void {
  builder.subscriptionField('wrongProperty', (t) =>
    t.stream({
      topic: orders,
      type: 'String',
      // @ts-expect-error: "colour" is no property of an order
      where: () => ({ colour: 'red' }),
      resolve: ({ id }) => id,
    }),
  )
  builder.subscriptionField('notIndexed', (t) =>
    t.stream({
      topic: orders,
      type: 'String',
      // @ts-expect-error: "city" is a property that orders are not looked up by
      where: () => ({ city: 'Amsterdam' }),
      resolve: ({ id }) => id,
    }),
  )
  builder.subscriptionField('wrongValue', (t) =>
    t.stream({
      topic: orders,
      type: 'String',
      // @ts-expect-error: there is no region MOON
      where: () => ({ region: 'MOON' }),
      resolve: ({ id }) => id,
    }),
  )
  builder.subscriptionField('wrongResult', (t) =>
    t.stream({
      topic: orders,
      type: 'Int',
      // @ts-expect-error: an order's id is text
      resolve: ({ id }) => id,
    }),
  )
  builder.subscriptionField('wrongArgument', (t) =>
    t.stream({
      topic: orders,
      type: 'String',
      args: { merchantId: t.arg.id({ required: true }) },
      // @ts-expect-error: the argument is called merchantId
      where: ({ merchant }) => ({ merchantId: merchant }),
      resolve: ({ id }) => id,
    }),
  )
  builder.subscriptionField('principal', (t) =>
    t.stream({
      topic: orders,
      type: 'String',
      // @ts-expect-error: resolvers of shared executions see an audience, and no client
      filter: (_order, _args, { principal }) => principal !== undefined,
      resolve: ({ id }) => id,
    }),
  )
  builder.subscriptionField('nullable', (t) =>
    t.stream({
      topic: orders,
      type: 'String',
      // @ts-expect-error: the field is not nullable
      resolve: () => null,
    }),
  )
  builder.subscriptionField('wrongFunctionValue', (t) =>
    t.stream({
      topic: visits,
      type: 'Boolean',
      // @ts-expect-error: it is true or false
      where: () => ({ isMobile: 'yes' }),
      resolve: () => true,
    }),
  )
  builder.subscriptionField('propertyBesideFunctions', (t) =>
    t.stream({
      topic: visits,
      type: 'Boolean',
      // @ts-expect-error: visits are looked up by path and isMobile
      where: () => ({ page: { path: '/' } }),
      resolve: () => true,
    }),
  )
  builder.subscriptionField('noIndex', (t) =>
    t.stream({
      topic: unindexed,
      type: 'Boolean',
      // @ts-expect-error: the topic has no index
      where: () => ({ path: '/' }),
      resolve: () => true,
    }),
  )
  builder.subscriptionField('wrongRecord', (t) =>
    t.stream({
      topic: visits,
      type: 'Boolean',
      // @ts-expect-error: a record has no value
      filter: (_visit, _args, _context, { value }) => value !== null,
      resolve(_visit, _args, _context, record) {
        // @ts-expect-error: nobody changes a record
        record.key = 'k'
        return true
      },
    }),
  )
}

test('a stream field knows its events, arguments and result by type', () => {
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  builder.subscriptionType({
    fields: (t) => ({
      cities: t.stream({
        topic: orders,
        type: 'String',
        nullable: true,
        args: { merchantIds: t.arg.idList({ required: true }), atLeast: t.arg.int() },
        where: ({ merchantIds }) => ({ merchantId: { in: merchantIds }, region: 'EUROPE' as const }),
        filter: ({ itemCount }, { atLeast }) => itemCount >= (atLeast ?? 0),
        resolve: async ({ city }) => (city === '' ? null : city),
      }),
      paths: t.stream({
        topic: visits,
        type: 'String',
        args: { paths: t.arg.stringList({ required: true }) },
        where: ({ paths }) => ({ path: { in: paths }, isMobile: true }),
        filter: (_visit, _args, _context, { key, timestamp }) => key !== null && timestamp > 0,
        resolve: ({ page }, _args, _context, { headers, partition, offset }) =>
          `${page.path} ${headers.device} ${partition + offset}`,
      }),
      all: t.stream({ topic: unindexed, type: 'Boolean', where: () => ({}), resolve: () => true }),
    }),
  })
  if (Date.now() < 0) {
    misuses(builder)
    misusedFilters(builder)
  }
  const subscriptions = builder.toSchema().getSubscriptionType()
  if (!isObjectType(subscriptions)) throw new Error('There are no subscriptions')
  const field = subscriptions.getFields().cities
  expect(String(field?.type)).toBe('String')
  expect(field?.args.map(({ name, type }) => `${name}: ${type}`).toSorted()).toEqual([
    'after: Cursor',
    'atLeast: Int',
    'last: Int',
    'merchantIds: [ID!]!',
    'since: DateTime',
    'throttle: Throttle',
  ])
})
