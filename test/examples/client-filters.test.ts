import { expect, test } from 'vitest'
import type { OrderFilter } from '../../examples/client/src/gql/graphql.ts'
import { type Order, orders } from '../../examples/client/src/orders.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'

/** Each fails the type check: tsc, in `npm run check`, says so of a `@ts-expect-error` that expects in vain. */
const WRONG: readonly OrderFilter[] = [
  // @ts-expect-error no such field
  { colour: { eq: 'red' } },
  // @ts-expect-error no such field of an object
  { total: { sum: { gte: '1' } } },
  // @ts-expect-error no such operator
  { city: { like: 'Ams%' } },
  // @ts-expect-error an operator of another type
  { region: { gt: 'ASIA' } },
  // @ts-expect-error no such region
  { region: { in: ['ASIA', 'MARS'] } },
  // @ts-expect-error no such status, within a combination
  { or: [{ not: { status: { eq: 'LOST' } } }] },
  // @ts-expect-error an amount is text
  { total: { amount: { gte: 100 } } },
  // @ts-expect-error a number is no text
  { itemCount: { eq: '3' } },
  // @ts-expect-error one value for a list
  { city: { in: 'Amsterdam' } },
  // @ts-expect-error a value where an operator belongs
  { city: 'Amsterdam' },
]

test('the types of the example say what is wrong with a filter', () => {
  expect(WRONG).toHaveLength(10)
})

test('the client of the example receives what its typed filter selects', async () => {
  const gateway = await startTestGateway()
  const stop = new AbortController()
  const received: Order[] = []
  const where = { total: { amount: { gte: '100' } }, or: [{ city: { startsWith: 'A' } }, { itemCount: { gt: 5 } }] }
  const ended = (async () => {
    for await (const order of orders(gateway.graphql, 'EUROPE', stop.signal, where)) received.push(order)
  })()
  await until('the stream is open', () => gateway.engine.subscribers === 1)
  await gateway.produce(
    { id: 'a', amount: '99.99' },
    { id: 'b', amount: '100.00' },
    { id: 'c', city: 'Utrecht' },
    { id: 'd', city: 'Utrecht', itemCount: 6 },
  )
  await until('two orders came', () => received.length === 2)
  expect(received.map(({ id }) => id)).toEqual(['b', 'd'])
  stop.abort()
  await ended
})
