import { EventSource } from 'eventsource'
import { createClient } from 'graphql-sse'
import type { Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import type { OrderEvent, REGIONS } from '../../src/streams/topics/orders.ts'
import { nameOf } from './order-log.ts'

type Region = (typeof REGIONS)[number]

/** A client of the orders of one region, from now on until the test ends. */
export interface OrderClient {
  readonly region: Region
  /** The names (see `nameOf`) of the orders that came, in the order in which they did. */
  readonly received: string[]
  /** How often it connected; more than once: its stream was cut. */
  readonly connections: () => number
  readonly errors: string[]
}

const FIELDS = '{ id status merchantId region total { amount currency } }'
const SUBSCRIPTION = `subscription ($region: Region!) { ordersByRegion(region: $region) ${FIELDS} }`

interface Result {
  readonly data?: { readonly ordersByRegion: Pick<OrderEvent, 'id' | 'status' | 'region'> } | null
  readonly errors?: readonly { readonly message: string }[]
}

function client(region: Region) {
  let connections = 0
  const received: string[] = []
  const errors: string[] = []
  return {
    region,
    received,
    errors,
    connections: () => connections,
    connected: () => void connections++,
    take({ data, errors: failed }: Result) {
      if (failed) errors.push(...failed.map(({ message }) => message))
      if (!data) return
      if (data.ordersByRegion.region !== region) errors.push(`An order of ${data.ordersByRegion.region} came`)
      received.push(nameOf(data.ordersByRegion))
    },
  }
}

/** By graphql-sse. */
export function graphqlSseClient(url: string, region: Region): OrderClient {
  const { take, connected, ...own } = client(region)
  const sse = createClient({ url, retryAttempts: Number.POSITIVE_INFINITY, on: { connected } })
  sse.subscribe<NonNullable<Result['data']>>(
    { query: SUBSCRIPTION, variables: { region } },
    {
      next: (result) => take(result as Result),
      error: (error) => own.errors.push(String(error)),
      complete: () => {},
    },
  )
  onTestFinished(() => sse.dispose())
  return own
}

/** By Node's stand-in for a browser's EventSource. */
export function eventSourceClient(url: string, region: Region): OrderClient {
  const { take, connected, ...own } = client(region)
  const search = new URLSearchParams({ query: SUBSCRIPTION, variables: JSON.stringify({ region }) })
  const source = new EventSource(`${url}?${search}`)
  source.addEventListener('open', connected)
  source.addEventListener('next', ({ data }) => take(JSON.parse(data)))
  source.addEventListener('complete', () => own.errors.push('The stream was completed'))
  onTestFinished(() => source.close())
  return own
}

/** By a browser's own EventSource, in a page. */
export async function browserClient(page: Page, url: string, region: Region): Promise<OrderClient> {
  const { take, connected, ...own } = client(region)
  await page.exposeFunction('connected', connected)
  await page.exposeFunction('take', (data: string) => take(JSON.parse(data)))
  await page.exposeFunction('completed', () => own.errors.push('The stream was completed'))
  const search = new URLSearchParams({ query: SUBSCRIPTION, variables: JSON.stringify({ region }) })
  const address = JSON.stringify(`${url}?${search}`)
  await page.evaluate(`
    const source = new EventSource(${address})
    source.addEventListener('open', () => connected())
    source.addEventListener('next', ({ data }) => take(data))
    source.addEventListener('complete', () => completed())
  `)
  return own
}
