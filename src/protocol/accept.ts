import type { IncomingMessage } from 'node:http'
import { LRUCache } from 'lru-cache'
import Negotiator from 'negotiator'
import { SluiceError } from '../errors/codes.ts'
import { mediaRanges, withoutParameters } from './media-type.ts'
import { typeOfParts } from './multipart-accept.ts'

export const EVENT_STREAM = 'text/event-stream'
export const MULTIPART = 'multipart/mixed'
export const GRAPHQL_RESPONSE = 'application/graphql-response+json'
const JSON_TYPE = 'application/json'
const HTML = 'text/html'
export const PLAIN_TEXT = 'text/plain'

/** What request errors are, in the order of our preference, for equal q values. */
const ERRORS = [JSON_TYPE, GRAPHQL_RESPONSE]

/** What answers are, in the order of our preference, for equal q values. */
export const SERVED = [JSON_TYPE, GRAPHQL_RESPONSE, EVENT_STREAM, MULTIPART]

/** What subscriptions are served as. */
export type StreamType = typeof EVENT_STREAM | typeof MULTIPART

export interface Accepted {
  /** The offered media type that the client prefers. */
  readonly preferred: string
  /** The one that it prefers for a single result. Parts are for subscriptions: it is another, where there is any. */
  readonly single: string
  /** The one that it prefers for a stream; undefined: it accepts none. */
  readonly stream: StreamType | undefined
  readonly eventStream: boolean
  /** Event streams are named, not matched by a wildcard. */
  readonly namesEventStream: boolean
}

/** Length limit: browsers and GraphQL clients send some 150. The cost grows with each range: 10 ms for 15 KB. */
const MAX_CHARS = 500
/** Caches of parsed headers: clients are many, and their headers few. With the keys 0.3 MB at most, each. */
const known = new LRUCache<string, { readonly accepted: Accepted | undefined }>({ max: 500 })
const knownOfErrors = new LRUCache<string, string>({ max: 500 })

/**
 * Parses `accept` as a list with q values, without other parameters; undefined: no offered media type is acceptable.
 * @throws SluiceError `NOT_ACCEPTABLE` if it is too long, as the other functions here do.
 */
export function negotiate(request: IncomingMessage): Accepted | undefined {
  const accept = acceptOf(request)
  const cached = known.get(accept)
  if (cached) return cached.accepted
  const accepted = read(accept)
  known.set(accept, { accepted })
  return accepted
}

/**
 * The media type of a request error: that of GraphQL over HTTP where the client prefers it, in which alone some clients
 * look for errors; JSON for all others, whatever they accept.
 */
export function errorTypeOf({ headers: { accept = '' } }: IncomingMessage): string {
  if (accept === '' || accept.length > MAX_CHARS) return JSON_TYPE
  let type = knownOfErrors.get(accept)
  if (type === undefined) {
    type = negotiatorOf(accept).mediaType(ERRORS) ?? JSON_TYPE
    knownOfErrors.set(accept, type)
  }
  return type
}

/**
 * A header that is too long is not treated as any type: a client that reads only event streams would receive JSON. An
 * empty one is an absent one.
 */
function acceptOf({ headers: { accept } }: IncomingMessage): string {
  if (accept === undefined || accept.length <= MAX_CHARS) return accept?.trim() || '*/*'
  throw new SluiceError('NOT_ACCEPTABLE', `The Accept header has more than ${MAX_CHARS} characters`)
}

function negotiatorOf(accept: string): Negotiator {
  return new Negotiator({ headers: { accept: withoutParameters(accept, typeOfParts) } })
}

function read(accept: string): Accepted | undefined {
  const types = negotiatorOf(accept).mediaTypes(SERVED)
  const [preferred] = types
  if (preferred === undefined) return undefined
  const single = types.find((type) => type !== MULTIPART) ?? preferred
  const eventStream = types.includes(EVENT_STREAM)
  const namesEventStream = eventStream && mediaRanges(accept).some(({ type }) => type === EVENT_STREAM)
  return { preferred, single, stream: types.find(isStreamType), eventStream, namesEventStream }
}

export function isStreamType(type: string): type is StreamType {
  return type === EVENT_STREAM || type === MULTIPART
}

/** Whether event streams are named explicitly, not matched by a wildcard. */
export function asksForEventStream(request: IncomingMessage): boolean {
  return negotiate(request)?.namesEventStream === true
}

export function takesPlainText(request: IncomingMessage): boolean {
  return negotiatorOf(acceptOf(request)).mediaType([PLAIN_TEXT]) !== undefined
}

/** A navigation of a browser, which accepts HTML. */
export function wantsHtml(request: IncomingMessage): boolean {
  if (request.method !== 'GET') return false
  return negotiatorOf(acceptOf(request)).mediaType([...SERVED, HTML]) === HTML
}
