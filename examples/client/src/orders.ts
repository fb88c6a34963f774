import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { print } from 'graphql'
import { createResumingClient } from '../../../packages/client/src/graphql-sse.ts'
import { graphql } from './gql/gql.ts'
import type { OrderFilter, OrdersByRegionSubscription, Region } from './gql/graphql.ts'

const ordersByRegion = graphql(`
  subscription OrdersByRegion($region: Region!, $where: OrderFilter) {
    ordersByRegion(region: $region, where: $where) {
      id
      city
      country
      total {
        amount
        currency
      }
      status
      placedAt
    }
  }
`)

export type Order = OrdersByRegionSubscription['ordersByRegion']

/**
 * The orders of a region that meet a filter, from now on, until the signal aborts. `url` is that of the gateway's
 * `/graphql`. A filter with a wrong field, operator or value does not pass the type check.
 */
export async function* orders(
  url: string,
  region: Region,
  signal: AbortSignal,
  where: OrderFilter = {},
): AsyncGenerator<Order> {
  for await (const data of subscribe(url, ordersByRegion, { region, where }, signal)) yield data.ordersByRegion
}

/**
 * The results of a typed subscription. The client reconnects by itself, and goes on where it was; of what is gone for
 * good it is told.
 * @throws Error with the gateway's messages, when it answers with errors
 */
async function* subscribe<Result, Variables extends Record<string, unknown>>(
  url: string,
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
  signal: AbortSignal,
): AsyncGenerator<Result> {
  const client = createResumingClient({ url })
  const results = client.iterate<Result>({ query: print(document), variables })
  const stop = () => void results.return?.()
  signal.addEventListener('abort', stop, { once: true })
  try {
    if (signal.aborted) return
    for await (const { data, errors } of results) {
      const isGap = errors?.[0]?.extensions?.code === 'CURSOR_EXPIRED'
      if (errors && !isGap) throw new Error(errors.map((error) => error.message).join('; '))
      if (isGap) console.error('Some orders are gone:', errors?.[0]?.extensions?.gaps)
      if (data) yield data
    }
  } finally {
    signal.removeEventListener('abort', stop)
    client.dispose()
  }
}
