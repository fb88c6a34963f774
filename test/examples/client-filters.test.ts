import { expect, test } from 'vitest'
import { type Order, orders } from '../../examples/client/src/orders.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'

/** Never called: each line has to fail the type check of `npm run check`, and says so if it does not. */
export function misuses(url: string, signal: AbortSignal): void {
  // @ts-expect-error no such field
  orders(url, 'ASIA', signal, { colour: { eq: 'red' } })
  // @ts-expect-error no such field of an object
  orders(url, 'ASIA', signal, { total: { sum: { gte: '1' } } })
  // @ts-expect-error no such operator
  orders(url, 'ASIA', signal, { city: { like: 'Ams%' } })
  // @ts-expect-error an operator of another type
  orders(url, 'ASIA', signal, { region: { gt: 'ASIA' } })
  // @ts-expect-error no such region
  orders(url, 'ASIA', signal, { region: { in: ['ASIA', 'MARS'] } })
  // @ts-expect-error no such status, within a combination
  orders(url, 'ASIA', signal, { or: [{ not: { status: { eq: 'LOST' } } }] })
  // @ts-expect-error an amount is text
  orders(url, 'ASIA', signal, { total: { amount: { gte: 100 } } })
  // @ts-expect-error a number is no text
  orders(url, 'ASIA', signal, { itemCount: { eq: '3' } })
  // @ts-expect-error one value for a list
  orders(url, 'ASIA', signal, { city: { in: 'Amsterdam' } })
  // @ts-expect-error a value where an operator belongs
  orders(url, 'ASIA', signal, { city: 'Amsterdam' })
}

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
