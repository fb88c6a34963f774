import type { IncomingMessage } from 'node:http'
import { LRUCache } from 'lru-cache'
import Negotiator from 'negotiator'
import { SluiceError } from '../errors/codes.ts'

export const EVENT_STREAM = 'text/event-stream'
export const GRAPHQL_RESPONSE = 'application/graphql-response+json'
const JSON_TYPE = 'application/json'
const HTML = 'text/html'
export const PLAIN_TEXT = 'text/plain'

/** What answers are, in the order of our preference, for equal q values. */
export const SERVED = [JSON_TYPE, GRAPHQL_RESPONSE, EVENT_STREAM]

export interface Accepted {
  /** The offered media type that the client prefers. */
  readonly preferred: string
  readonly eventStream: boolean
}

/** Length limit: browsers and GraphQL clients send some 150. The cost grows with each range: 10 ms for 15 KB. */
const MAX_CHARS = 500
/** Cache of parsed headers: clients are many, and their headers few. With the keys 0.3 MB at most. */
const known = new LRUCache<string, { readonly accepted: Accepted | undefined }>({ max: 500 })

/**
 * Parses `accept` as a list with q values; undefined: no offered media type is acceptable.
 * @throws SluiceError `NOT_ACCEPTABLE` if it is too long, as the other functions here do.
 */
export function negotiate(request: IncomingMessage): Accepted | undefined {
  const accept = acceptOf(request)
  const cached = known.get(accept)
  if (cached) return cached.accepted
  const accepted = read(request)
  known.set(accept, { accepted })
  return accepted
}

/** Not treated as any type: a client that reads only event streams would receive JSON. */
function acceptOf({ headers: { accept = '*/*' } }: IncomingMessage): string {
  if (accept.length <= MAX_CHARS) return accept
  throw new SluiceError('NOT_ACCEPTABLE', `The Accept header has more than ${MAX_CHARS} characters`)
}

function read(request: IncomingMessage): Accepted | undefined {
  const types = new Negotiator(request).mediaTypes(SERVED)
  const [preferred] = types
  if (preferred === undefined) return undefined
  return { preferred, eventStream: types.includes(EVENT_STREAM) }
}

/** Whether event streams are named explicitly, not matched by a wildcard. */
export function asksForEventStream(request: IncomingMessage): boolean {
  return negotiate(request)?.eventStream === true && /text\/event-stream/i.test(acceptOf(request))
}

export function takesPlainText(request: IncomingMessage): boolean {
  acceptOf(request)
  return new Negotiator(request).mediaType([PLAIN_TEXT]) !== undefined
}

/** A navigation of a browser, which accepts HTML. */
export function wantsHtml(request: IncomingMessage): boolean {
  if (request.method !== 'GET') return false
  acceptOf(request)
  return new Negotiator(request).mediaType([...SERVED, HTML]) === HTML
}
