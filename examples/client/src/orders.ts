import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { print } from 'graphql'
import { createClient } from 'graphql-sse'
import { graphql } from './gql/gql.ts'
import type { OrdersByRegionSubscription, Region } from './gql/graphql.ts'

const ordersByRegion = graphql(`
  subscription OrdersByRegion($region: Region!) {
    ordersByRegion(region: $region) {
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

/** A gateway that is back is found within this time, whatever the number of tries. */
const LONGEST_WAIT_MS = 30_000
const FIRST_WAIT_MS = 1_000

export type Order = OrdersByRegionSubscription['ordersByRegion']

/** The orders of a region, from now on, until the signal aborts. `url` is that of the gateway's `/graphql`. */
export async function* orders(url: string, region: Region, signal: AbortSignal): AsyncGenerator<Order> {
  for await (const data of subscribe(url, ordersByRegion, { region }, signal)) yield data.ordersByRegion
}

/**
 * The results of a typed subscription. The client reconnects by itself.
 * @throws Error with the gateway's messages, when it answers with errors
 */
async function* subscribe<Result, Variables extends Record<string, unknown>>(
  url: string,
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
  signal: AbortSignal,
): AsyncGenerator<Result> {
  // For ever: a gateway closes its streams now and then by plan, and five such closes on a quiet stream, the client's
  // default, would end it.
  const client = createClient({ url, retryAttempts: Number.POSITIVE_INFINITY, retry: waitToRetry })
  const results = client.iterate<Result>({ query: print(document), variables })
  const stop = () => void results.return?.()
  signal.addEventListener('abort', stop, { once: true })
  try {
    if (signal.aborted) return
    for await (const { data, errors } of results) {
      if (errors) throw new Error(errors.map((error) => error.message).join('; '))
      if (data) yield data
    }
  } finally {
    signal.removeEventListener('abort', stop)
    client.dispose()
  }
}

/**
 * The client's own wait doubles without a limit, and starts anew only when a result has come: after ten ends of a quiet
 * stream it would be a quarter of an hour.
 */
function waitToRetry(tries: number): Promise<void> {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries)
  return new Promise((resolve) => setTimeout(resolve, Math.random() * longest))
}
