import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { createBuilder } from '../../../src/schema/builder.ts'
import { type OrderEvent, orders } from '../../../src/streams/topics/orders.ts'
import { anOrder, startTestGateway } from '../../kit/gateway.ts'
import { as, knowPrincipals } from '../../kit/principals.ts'
import { RawStream } from '../../kit/raw-stream.ts'

const SECRETS = { id: 'principal-of-acme', tokenId: 'token-of-acme', expiresAt: 4_102_444_800_123 }

/** A resolver that shows all that it can reach, streams left out: what they give is another matter. */
function shown(...given: readonly unknown[]): string {
  return inspect(given, {
    depth: 20,
    showHidden: true,
    maxArrayLength: null,
    maxStringLength: null,
    breakLength: Infinity,
  })
}

function leakySchema() {
  const builder = createBuilder()
  const Leak = builder.objectRef<OrderEvent>('Leak').implement({
    fields: (t) => ({
      context: t.string({
        resolve: (order, args, { audience, ...rest }) => shown(order, args, audience, Object.keys(rest)),
      }),
      info: t.string({
        resolve: (_order, _args, _context, { operation, variableValues, rootValue, path }) =>
          shown(operation, variableValues, rootValue, path),
      }),
    }),
  })
  builder.queryType({
    fields: (t) => ({
      context: t.string({ resolve: (_root, args, { audience, ...rest }) => shown(args, audience, Object.keys(rest)) }),
    }),
  })
  builder.subscriptionType({
    fields: (t) => ({
      leaks: t.stream({
        topic: orders,
        type: Leak,
      }),
    }),
  })
  return builder.toSchema()
}

test('a resolver that shows all it can reach shows nothing of who asks, and the same to all of an audience', async () => {
  const schema = leakySchema()
  const bounds = { merchantId: ['m_1'] }
  knowPrincipals({ one: { ...SECRETS, bounds }, two: { ...SECRETS, id: 'principal-of-others', bounds } }, schema)
  const gateway = await startTestGateway({ schema })
  const query = 'subscription { leaks { context info } }'
  const streams = [
    await RawStream.subscribe(gateway.graphql, query, { headers: as('one') }),
    await RawStream.subscribe(gateway.graphql, query, { headers: as('two') }),
  ]
  await gateway.produce(anOrder({ merchantId: 'm_1' }), anOrder({ merchantId: 'm_2' }), anOrder({ merchantId: 'm_1' }))
  for (const stream of streams) await stream.untilResults(2)
  expect(gateway.engine.groups).toBe(1)
  const [first, second] = streams.map(({ results }) => JSON.stringify(results))
  expect(first).toBe(second)
  expect(first).not.toMatch(/acme|others|principal|4102444800123|m_2/)
  // It does see what it may: the bounds.
  expect(first).toContain('merchantId')
  const answers = await Promise.all(
    ['one', 'two'].map((id) =>
      RawStream.answer(gateway.graphql, { method: 'POST', headers: as(id), body: { query: '{ context }' } }),
    ),
  )
  expect(answers[0]?.json).toEqual(answers[1]?.json)
  expect(answers[0]?.body).not.toMatch(/acme|others|4102444800123/)
})
