/** Prints the orders of a region: `node examples/client/src/main.ts [region] [url] [least amount]`. Ctrl-C ends it. */
import type { Region } from './gql/graphql.ts'
import { orders } from './orders.ts'

const [region = 'EUROPE', url = 'http://127.0.0.1:4000/graphql', least = '0'] = process.argv.slice(2)
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())

// The gateway refuses a region it does not know, by name: no need to repeat its list here.
const where = { total: { amount: { gte: least } }, status: { ne: 'CANCELLED' } } as const
for await (const order of orders(url, region as Region, stop.signal, where)) {
  console.log(
    `${order.placedAt}  ${order.total.amount} ${order.total.currency}  ${order.city}, ${order.country}  ${order.status}`,
  )
}
