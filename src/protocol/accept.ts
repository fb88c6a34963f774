import type { IncomingMessage } from 'node:http'
import { LRUCache } from 'lru-cache'
import Negotiator from 'negotiator'
import { SluiceError } from '../errors/codes.ts'

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

/** Browsers and GraphQL clients send some 150. What a longer one costs grows with each of its ranges: 10 ms for 15 KB. */
const MAX_CHARS = 500
/** What was made of each header lately: clients are many, and their headers few. With their keys 0.3 MB at most. */
const known = new LRUCache<string, { readonly accepted: Accepted | undefined }>({ max: 500 })

/**
 * Reads `accept` as the list with q values that it is; undefined: it takes nothing that we have.
 * @throws SluiceError `NOT_ACCEPTABLE` if it is too long, as the others here do.
 */
export function negotiate(request: IncomingMessage): Accepted | undefined {
  const accept = acceptOf(request)
  const cached = known.get(accept)
  if (cached) return cached.accepted
  const accepted = read(request)
  known.set(accept, { accepted })
  return accepted
}

/** Not read as if it took anything: a client that reads only event streams would be sent JSON. */
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

/** Whether event streams are named, and not just taken because anything is. */
export function asksForEventStream(request: IncomingMessage): boolean {
  return negotiate(request)?.eventStream === true && /text\/event-stream/i.test(acceptOf(request))
}

export function takesPlainText(request: IncomingMessage): boolean {
  acceptOf(request)
  return new Negotiator(request).mediaType([PLAIN_TEXT]) !== undefined
}

/** A browser that navigates here wants the page. */
export function wantsHtml(request: IncomingMessage): boolean {
  if (request.method !== 'GET') return false
  acceptOf(request)
  return new Negotiator(request).mediaType([...SERVED, HTML]) === HTML
}
