import { setTimeout as delay } from 'node:timers/promises'
import { type Client, createClient } from 'graphql-sse'
import { onTestFinished } from 'vitest'
import type { REGIONS } from '../../src/streams/topics/orders.ts'

type Region = (typeof REGIONS)[number]

/** Its own waits grow to many seconds. */
const RETRY_MS = 50

export interface OfficialClient {
  readonly client: Client<true>
  /** Its answered requests, as method and status; each went over a connection of its own. */
  readonly requests: string[]
}

/**
 * graphql-sse in single connection mode, until the test ends.
 * @param retries Whether it comes back by itself, without end; else it tells each operation of the end of its stream.
 */
export function officialClient(url: string, { retries }: { retries: boolean }): OfficialClient {
  const requests: string[] = []
  const client = createClient({
    url,
    singleConnection: true,
    // By default each operation would come back with a stream of its own.
    lazy: false,
    onNonLazyError: () => {}, // the operations are told as well
    retryAttempts: retries ? Number.POSITIVE_INFINITY : 0,
    retry: () => delay(RETRY_MS),
    headers: () => ({ connection: 'close' }),
    fetchFn: async (input: string, init: RequestInit) => {
      const response = await fetch(input, init)
      requests.push(`${init.method} ${response.status}`)
      return response
    },
  })
  onTestFinished(() => client.dispose())
  return { client, requests }
}

export interface Listener {
  /** The orders that came, in the order in which they did. */
  readonly received: readonly string[]
}

interface Data {
  readonly ordersByRegion: { readonly id: string }
}

const queryOf = (region: Region): string => `subscription { ordersByRegion(region: ${region}) { id } }`

/** A subscription as the client keeps it up by itself: what happens while it is away is missed. */
export function listen(client: Client<true>, region: Region): Listener {
  const received: string[] = []
  client.subscribe<Data>(
    { query: queryOf(region) },
    { next: ({ data }) => data && received.push(data.ordersByRegion.id), error: () => {}, complete: () => {} },
  )
  return { received }
}

/** A subscription that goes on where it was: by the loop of docs/clients/single-connection.md, with shorter waits. */
export function resume(client: Client<true>, region: Region): Listener {
  const received: string[] = []
  let [over, cursor] = [false, undefined as unknown]
  onTestFinished(() => {
    over = true
  })
  const run = async () => {
    while (!over) {
      try {
        const extensions = { cursor: true, markers: true, lastEventId: cursor }
        for await (const result of client.iterate<Data, { cursor?: string }>({ query: queryOf(region), extensions })) {
          cursor = result.extensions?.cursor ?? cursor
          if (result.errors) throw new Error(result.errors[0]?.message)
          if (result.data) received.push(result.data.ordersByRegion.id)
        }
        return
      } catch {
        await delay(RETRY_MS) // its stream has ended; the test sees what did not come
      }
    }
  }
  void run()
  return { received }
}
