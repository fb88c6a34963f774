import type { IncomingMessage } from 'node:http'
import { LRUCache } from 'lru-cache'
import Negotiator from 'negotiator'

export const EVENT_STREAM = 'text/event-stream'
export const GRAPHQL_RESPONSE = 'application/graphql-response+json'
const JSON_TYPE = 'application/json'
export const HTML = 'text/html'
export const PLAIN_TEXT = 'text/plain'

/** In the order in which we choose where the client likes several equally. */
const SERVED = [JSON_TYPE, GRAPHQL_RESPONSE, EVENT_STREAM]

export interface Accepted {
  /** The media type the client likes best, of those we have. */
  readonly preferred: string
  readonly eventStream: boolean
}

/** What was made of each header lately: clients are many, and their headers few. With their keys 0.3 MB at most. */
const known = new LRUCache<string, { readonly accepted: Accepted | undefined }>({ max: 500 })
/** Longer ones are read every time. */
const MAX_KNOWN_CHARS = 500

/** Reads `accept` as the list with q values that it is; undefined: it takes nothing that we have. */
export function negotiate(request: IncomingMessage): Accepted | undefined {
  const { accept = '*/*' } = request.headers
  const cached = known.get(accept)
  if (cached) return cached.accepted
  const accepted = read(request)
  if (accept.length <= MAX_KNOWN_CHARS) known.set(accept, { accepted })
  return accepted
}

function read(request: IncomingMessage): Accepted | undefined {
  const types = new Negotiator(request).mediaTypes(SERVED)
  const [preferred] = types
  if (preferred === undefined) return undefined
  return { preferred, eventStream: types.includes(EVENT_STREAM) }
}

/** Whether event streams are named, and not just taken because anything is. */
export function asksForEventStream(request: IncomingMessage): boolean {
  return negotiate(request)?.eventStream === true && /text\/event-stream/i.test(request.headers.accept ?? '')
}

export function takesPlainText(request: IncomingMessage): boolean {
  return new Negotiator(request).mediaType([PLAIN_TEXT]) !== undefined
}

/** A browser that navigates here wants the page. */
export function wantsHtml(request: IncomingMessage): boolean {
  return request.method === 'GET' && new Negotiator(request).mediaType([...SERVED, HTML]) === HTML
}
