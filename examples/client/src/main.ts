/** Prints the orders of a region: `node examples/client/src/main.ts [region] [url]`. Ctrl-C ends it. */
import type { Region } from './gql/graphql.ts'
import { orders } from './orders.ts'

const [region = 'EUROPE', url = 'http://127.0.0.1:4000/graphql'] = process.argv.slice(2)
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())

// The gateway refuses a region it does not know, by name: no need to repeat its list here.
for await (const order of orders(url, region as Region, stop.signal)) {
  console.log(
    `${order.placedAt}  ${order.total.amount} ${order.total.currency}  ${order.city}, ${order.country}  ${order.status}`,
  )
}
