import { buildSchema, type ExecutionResult, graphqlSync } from 'graphql'
import type { Load } from './load.ts'

/** What one read of a stream brought, from the start of a line on. */
export interface Sample {
  /** Index of the ask. */
  readonly request: number
  readonly text: string
}

/** Parses samples in full, and says what is wrong: a result that is no JSON, or not what was asked for. */
export function checkSamples(samples: readonly Sample[], load: Load): string[] {
  const faults = new Set<string>()
  for (const { request, text } of samples) {
    const ask = load.asks[request]
    // The last line may not be whole.
    for (const line of text.split('\n').slice(0, -1)) {
      if (!ask || !line.startsWith('data: ')) continue
      const order = load.orders[ask.key]
      const fault = order && faultOf(line.slice(6), expected(ask.query, order))
      if (fault) faults.add(fault)
    }
  }
  return [...faults]
}

const schema = buildSchema(/* GraphQL */ `
  scalar Filter
  type Query {
    orders(where: Filter): Order
    ordersByRegion(region: String, where: Filter): Order
    ordersByMerchant(merchantId: ID): Order
  }
  type Order {
    id: ID  merchantId: ID  region: String  country: String  city: String  location: Location  total: Money
    itemCount: Int  status: String  placedAt: String
  }
  type Location { lat: Float  lon: Float }
  type Money { amount: String  currency: String }
`)

const known = new Map<string, string>()

/** The result of an ask, with the mark in the place of its id: by graphql-js, from the same order. */
function expected(query: string, order: Load['orders'][number]): string {
  const key = `${query} ${JSON.stringify(order)}`
  let text = known.get(key)
  if (text === undefined) {
    const { lat, lon, amount, currency } = order
    const whole = () => ({ ...order, location: { lat, lon }, total: { amount, currency } })
    // An enum's value is text to this schema.
    const source = query.replace(/^subscription/, 'query').replace(/region: ([A-Z_]+)/, 'region: "$1"')
    const result: ExecutionResult = graphqlSync({
      schema,
      source,
      rootValue: { orders: whole, ordersByRegion: whole, ordersByMerchant: whole },
    })
    text = JSON.stringify(result)
    known.set(key, text)
  }
  return text
}

function faultOf(json: string, wanted: string): string | undefined {
  try {
    const got = JSON.stringify(JSON.parse(json)).replaceAll(/ord_[\d_]+/g, '@')
    return got === wanted ? undefined : `a result is not what was asked for: ${got}`
  } catch {
    return `a result is no JSON: ${json.slice(0, 200)}`
  }
}
