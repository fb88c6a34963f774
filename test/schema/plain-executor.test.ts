import { type ExecutionResult, GraphQLError, parse, subscribe } from 'graphql'
import { expect, onTestFinished, test } from 'vitest'
import { SluiceError } from '../../src/errors/codes.ts'
import { schema as ownSchema } from '../../src/resolvers/schema.ts'
import { createBuilder } from '../../src/schema/builder.ts'
import { ANONYMOUS, type Context } from '../../src/schema/context.ts'
import { createEmbeddedLog, type EmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import { Streams } from '../../src/streams/streams.ts'
import { orders } from '../../src/streams/topics/orders.ts'
import { ROOMY } from '../kit/feeds.ts'
import { anOrder, silentLog } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'

/** A log with six partitions of orders, read by no gateway, but as graphql-js alone would have it. */
async function startStreams(): Promise<{ context: Context; embedded: EmbeddedLog; streams: Streams }> {
  const embedded = createEmbeddedLog()
  embedded.createTopic('orders', 6)
  const { source, sink, epoch } = embedded
  const streams = new Streams({ topics: [orders], source, sink, epoch, limits: ROOMY, log: silentLog })
  onTestFinished(() => streams.close())
  streams.start()
  await until('the streams are ready', () => streams.readiness().ready)
  return { context: { audience: ANONYMOUS, streams }, embedded, streams }
}

async function open(context: Context, query: string, schema = ownSchema): Promise<AsyncGenerator<ExecutionResult>> {
  const opened = await subscribe({ schema, document: parse(query), contextValue: context })
  if (!(Symbol.asyncIterator in opened)) throw opened.errors?.[0] ?? new Error('It did not open')
  return opened as AsyncGenerator<ExecutionResult>
}

function produce(embedded: EmbeddedLog, ...differences: Parameters<typeof anOrder>[0][]): Promise<void> {
  return embedded.sink.send(
    'orders',
    differences.map((one) => ({ key: null, value: JSON.stringify(anOrder(one)), partition: 0 })),
  )
}

test('plain graphql-js executes a stream field', async () => {
  const { context, embedded } = await startStreams()
  const results = await open(
    context,
    'subscription { ordersByRegion(region: ASIA) { id total { amount } location { lat } } }',
  )
  await produce(embedded, { id: 'a', region: 'ASIA' }, { id: 'b' }, { id: 'c', region: 'ASIA', amount: '0.10' })
  expect((await results.next()).value).toEqual({
    data: { ordersByRegion: { id: 'a', total: { amount: '129.90' }, location: { lat: 52.37 } } },
  })
  expect((await results.next()).value).toMatchObject({
    data: { ordersByRegion: { id: 'c', total: { amount: '0.10' } } },
  })
})

test('leaving the results ends the subscription to the topic', async () => {
  const { context, streams } = await startStreams()
  const results = await open(context, 'subscription { ordersByMerchant(merchantId: "m_1") { id } }')
  expect(streams.feed(orders).interests).toBe(1)
  await results.return(undefined)
  expect(streams.feed(orders).interests).toBe(0)
})

test('a gap is an error with CURSOR_EXPIRED and the offsets, and the stream goes on', async () => {
  const { context, embedded, streams } = await startStreams()
  const results = await open(context, 'subscription { ordersByRegion(region: EUROPE) { id } }')
  streams.feed(orders).onGap({ kind: 'gap', topic: 'orders', partition: 3, from: 10, to: 20, reason: 'retention' })
  const { value: gap } = await results.next()
  const [error] = gap.errors as GraphQLError[]
  expect(error).toBeInstanceOf(GraphQLError)
  expect(error?.originalError).toBeInstanceOf(SluiceError)
  expect(error?.extensions).toEqual({
    code: 'CURSOR_EXPIRED',
    topic: 'orders',
    gaps: [{ partition: 3, from: 10, to: 20, reason: 'retention' }],
  })
  await produce(embedded, { id: 'next' })
  expect((await results.next()).value).toEqual({ data: { ordersByRegion: { id: 'next' } } })
})

test.each([
  ['after a cursor', (cursor: string) => `after: "${cursor}"`, ['a', 'c', 'd']],
  ['since a moment', () => 'since: "2020-01-01T00:00:00Z"', ['a', 'c', 'd']],
  ['since a moment to come', () => `since: "${new Date(Date.now() + 3600_000).toISOString()}"`, ['d']],
  ['with the last', () => 'last: 1', ['c', 'd']],
  ['with the last none', () => 'last: 0', ['d']],
  ['after, which wins over the others', (cursor: string) => `last: 0, after: "${cursor}"`, ['a', 'c', 'd']],
])('a start %s gives what was before, and then what comes', async (_how, argument, expected) => {
  const { context, embedded, streams } = await startStreams()
  const feed = streams.feed(orders)
  const given = argument(feed.cursor)
  await produce(embedded, { id: 'a' }, { id: 'b', region: 'ASIA' }, { id: 'c' })
  await until('they have been read', () => feed.events === 3)
  const results = await open(context, `subscription { ordersByRegion(region: EUROPE, ${given}) { id } }`)
  await produce(embedded, { id: 'd' })
  for (const id of expected) expect((await results.next()).value).toEqual({ data: { ordersByRegion: { id } } })
})

test.each([
  ['after: "AQAA"', 'CURSOR_INVALID'],
  ['last: -1', 'BAD_USER_INPUT'],
  ['last: 10001', 'BAD_USER_INPUT'],
])('a start by %s is refused', async (argument, code) => {
  const { context } = await startStreams()
  const query = `subscription { ordersByRegion(region: EUROPE, ${argument}) { id } }`
  await expect(open(context, query)).rejects.toMatchObject({ extensions: { code } })
})

test('where, filter and resolve each do their part, with arguments and context', async () => {
  const { context, embedded } = await startStreams()
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  builder.subscriptionType({
    fields: (t) => ({
      big: t.stream({
        topic: orders,
        type: 'String',
        args: { merchants: t.arg.stringList({ required: true }), items: t.arg.int({ required: true }) },
        where: ({ merchants }) => ({ merchantId: { in: merchants } }),
        filter: ({ itemCount }, { items }) => itemCount >= items,
        resolve: async ({ id }, { items }, { audience }) => `${id} ${items} ${Object.keys(audience.claims).length}`,
      }),
    }),
  })
  const results = await open(context, 'subscription { big(merchants: ["a", "b"], items: 5) }', builder.toSchema())
  await produce(
    embedded,
    { id: '1', merchantId: 'a', itemCount: 4 },
    { id: '2', merchantId: 'b', itemCount: 5 },
    { id: '3', merchantId: 'c', itemCount: 9 },
    { id: '4', merchantId: 'a', itemCount: 9 },
  )
  expect([(await results.next()).value, (await results.next()).value]).toEqual([
    { data: { big: '2 5 0' } },
    { data: { big: '4 5 0' } },
  ])
})

test('a resolver that throws is an error of its event, and the stream goes on', async () => {
  const { context, embedded } = await startStreams()
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  builder.subscriptionType({
    fields: (t) => ({
      picky: t.stream({
        topic: orders,
        type: 'String',
        resolve: ({ id }) => {
          if (id === 'bad') throw new Error('Not this one')
          return id
        },
      }),
    }),
  })
  const results = await open(context, 'subscription { picky }', builder.toSchema())
  await produce(embedded, { id: 'bad' }, { id: 'good' })
  expect((await results.next()).value.errors).toHaveLength(1)
  expect((await results.next()).value).toEqual({ data: { picky: 'good' } })
})
