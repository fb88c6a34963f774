import type { IncomingMessage } from 'node:http'
import Negotiator from 'negotiator'

export const EVENT_STREAM = 'text/event-stream'
export const GRAPHQL_RESPONSE = 'application/graphql-response+json'
const JSON_TYPE = 'application/json'
export const HTML = 'text/html'

/** In the order in which we choose where the client likes several equally. */
const SERVED = [JSON_TYPE, GRAPHQL_RESPONSE, EVENT_STREAM]

export interface Accepted {
  /** The media type the client likes best, of those we have. */
  readonly preferred: string
  readonly eventStream: boolean
  readonly json: boolean
}

/** Reads `accept` as the list with q values that it is; undefined: it takes nothing that we have. */
export function negotiate(request: IncomingMessage): Accepted | undefined {
  const types = new Negotiator(request).mediaTypes(SERVED)
  const [preferred] = types
  if (preferred === undefined) return undefined
  return {
    preferred,
    eventStream: types.includes(EVENT_STREAM),
    json: types.includes(JSON_TYPE) || types.includes(GRAPHQL_RESPONSE),
  }
}

/** A browser that navigates here wants the page. */
export function wantsHtml(request: IncomingMessage): boolean {
  return request.method === 'GET' && new Negotiator(request).mediaType([...SERVED, HTML]) === HTML
}
