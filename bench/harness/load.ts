/** What streams ask, what events look like, and the files that tell the load generator of both. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const REGIONS = ['AFRICA', 'ASIA', 'EUROPE', 'NORTH_AMERICA', 'OCEANIA', 'SOUTH_AMERICA'] as const
/** The generator puts an event's id here. */
const ID_MARK = '@'

export interface Order {
  readonly id: string
  readonly merchantId: string
  readonly region: string
  readonly country: string
  readonly city: string
  readonly lat: number
  readonly lon: number
  readonly amount: string
  readonly currency: string
  readonly itemCount: number
  readonly status: string
  readonly placedAt: string
}

export function anOrder(differences: Partial<Order> = {}): Order {
  return {
    id: ID_MARK,
    merchantId: 'm_0042',
    region: 'EUROPE',
    country: 'NL',
    city: 'Amsterdam',
    lat: 52.37,
    lon: 4.9,
    amount: '129.90',
    currency: 'EUR',
    itemCount: 3,
    status: 'PLACED',
    placedAt: '2026-11-27T10:15:30.123Z',
    ...differences,
  }
}

/** All that an order has: about 300 bytes as a result. */
export const WHOLE_ORDER =
  'id merchantId region country city location { lat lon } total { amount currency } itemCount status placedAt'

/** The result of a subscription to WHOLE_ORDER. */
export function resultOf({ lat, lon, amount, currency, ...order }: Order): string {
  const { id, merchantId, region, country, city, itemCount, status, placedAt } = order
  const [location, total] = [
    { lat, lon },
    { amount, currency },
  ]
  const data = { id, merchantId, region, country, city, location, total, itemCount, status, placedAt }
  return JSON.stringify({ data: { ordersByRegion: data } })
}

/** Streams that ask the same. */
export interface Ask {
  readonly query: string
  /** Index of the order, in `orders`, that these streams are to get. */
  readonly key: number
  readonly streams: number
  /** Where they go on, if they come back. */
  readonly resume?: Position
}

/** What a client had when it left. */
export interface Position {
  /** The last `id:` it saw. */
  readonly id: string
  /** The generator's number, within the key, of the next event of each partition. */
  readonly next: readonly number[]
}

export interface Load {
  readonly asks: readonly Ask[]
  /** An event of each is made in turn, each with an id of its own. */
  readonly orders: readonly Order[]
}

/** Streams that all ask for everything of one region. */
export function oneRegion(streams: number): Load {
  const query = `subscription { ordersByRegion(region: EUROPE) { ${WHOLE_ORDER} } }`
  return { asks: [{ query, key: 0, streams }], orders: [anOrder()] }
}

/** A subscription as graphql-sse's client sends it. */
export function postRequest(query: string, lastEventId?: string, headers = ''): string {
  const body = JSON.stringify({ query })
  return (
    `POST /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n${headers}` +
    `${lastEventId === undefined ? '' : `Last-Event-ID: ${lastEventId}\r\n`}Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}

/** The same, of a client that decodes compressed streams. */
export function gzipRequest(query: string, lastEventId?: string): string {
  return postRequest(query, lastEventId, 'Accept-Encoding: gzip\r\n')
}

/** How one system is asked, and what it is fed. */
export interface Dialect {
  readonly request: (query: string, lastEventId?: string) => string
  readonly template: (order: Order) => string
}

export interface LoadFiles {
  readonly requests: string
  readonly templates: string
  remove(): void
}

export function writeLoad({ asks, orders }: Load, { request, template }: Dialect): LoadFiles {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  const requests = join(folder, 'requests')
  const templates = join(folder, 'templates')
  const entries = asks.map(({ query, key, streams, resume }) => {
    const bytes = request(query, resume?.id)
    const position = resume ? ` ${resume.next.join(',')}` : ''
    return `${key} ${streams} ${Buffer.byteLength(bytes)}${position}\n${bytes}`
  })
  writeFileSync(requests, entries.join(''))
  writeFileSync(templates, orders.map((order) => `${template(order)}\n`).join(''))
  return { requests, templates, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
