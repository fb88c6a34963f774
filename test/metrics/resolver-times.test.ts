import { expect, test, vi } from 'vitest'
import { ResolverTimes } from '../../src/delivery/counts/resolver-times.ts'
import { createBuilder } from '../../src/schema/builder.ts'
import { orders } from '../../src/streams/topics/orders.ts'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'

const SLOW_MS = 30

function schemaOf() {
  const builder = createBuilder()
  builder.queryType({
    fields: (t) => ({
      now: t.string({ resolve: () => 'now' }),
      later: t.string({ resolve: () => new Promise<string>((done) => setTimeout(done, SLOW_MS, 'later')) }),
      fails: t.string({
        nullable: true,
        resolve: () => {
          throw new Error('as it is told to')
        },
      }),
    }),
  })
  const Order = builder.objectRef<{ id: string; city: string }>('Order').implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      loud: t.string({ resolve: ({ city }) => city.toUpperCase() }),
      wrong: t.string({
        nullable: true,
        resolve: () => {
          throw new Error('as it is told to')
        },
      }),
    }),
  })
  builder.subscriptionType({ fields: (t) => ({ orders: t.stream({ topic: orders, type: Order }) }) })
  return builder.toSchema()
}

const countOf = (gateway: TestGateway, field: string) => gateway.metric('sluice_resolver_seconds_count', { field })

test('queries are measured: the time until a result is there, and that of a failure', async () => {
  const gateway = await startTestGateway({ schema: schemaOf(), topics: [orders] })
  const answer = await fetch(gateway.graphql, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ now later fails }' }),
  })
  expect((await answer.json()).data).toEqual({ now: 'now', later: 'later', fails: null })
  for (const field of ['Query.now', 'Query.later', 'Query.fails']) expect(await countOf(gateway, field)).toBe(1)
  expect(await gateway.metric('sluice_resolver_seconds_sum', { field: 'Query.later' })).toBeGreaterThan(
    (0.9 * SLOW_MS) / 1_000,
  )
  expect(await gateway.metric('sluice_resolver_errors_total', { field: 'Query.fails' })).toBe(1)
})

test('of the executions of events some are measured, compiled ones too, and every result is the same', async () => {
  const EVENTS = 1_000
  const gateway = await startTestGateway({ schema: schemaOf(), topics: [orders], partitions: 1 })
  const stream = await RawStream.subscribe(gateway.graphql, 'subscription { orders { id loud wrong } }')
  for (let n = 0; n < EVENTS; n += 100) {
    await gateway.produce(...Array.from({ length: 100 }, (_, i) => ({ id: `o_${n + i}`, city: `c_${n + i}` })))
    await stream.untilResults(n + 100)
  }
  const results = stream.results.map(({ data }) => (data as { orders: object }).orders)
  expect(results).toEqual(Array.from({ length: EVENTS }, (_, n) => ({ id: `o_${n}`, loud: `C_${n}`, wrong: null })))
  for (const { errors } of stream.results) expect(errors).toMatchObject([{ path: ['orders', 'wrong'] }])
  expect(await gateway.metric('sluice_compiled_operations_total')).toBe(1)
  const count = await countOf(gateway, 'Order.loud')
  // The first is a sample, and at least one of each 199 after it, as far as the second's budget goes.
  expect(count).toBeGreaterThanOrEqual(5)
  expect(count).toBeLessThan(EVENTS / 10)
  expect(await countOf(gateway, 'Order.wrong')).toBe(count)
})

test('the resolvers of the schema are its own again as soon as a sample has been executed, also after a throw', () => {
  const schema = schemaOf()
  const { now } = schema.getQueryType()?.getFields() ?? {}
  const own = now?.resolve
  const times = new ResolverTimes(schema)
  const failure = new Error('as it is told to')
  const during = times.sample(() => times.sample(() => now?.resolve))
  expect(during).not.toBe(own)
  expect(now?.resolve).toBe(own)
  expect(() =>
    times.sample(() => {
      throw failure
    }),
  ).toThrow(failure)
  expect(now?.resolve).toBe(own)
})

test('there are no more samples a second than the limit, and one execution in a hundred is one', () => {
  const random = vi.fn(() => 0.5)
  const times = new ResolverTimes(schemaOf(), random)
  const samplesOf = (executions: number, isAsked = false) =>
    Array.from({ length: executions }, () => times.takes(isAsked)).filter(Boolean).length
  expect(samplesOf(1_000)).toBe(10)
  expect(samplesOf(100_000)).toBe(10)
  times.refill()
  expect(samplesOf(50, true)).toBe(20)
  times.refill()
  expect(samplesOf(1_000)).toBe(10)
})
