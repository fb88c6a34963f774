import type { IncomingMessage } from 'node:http'
import { LRUCache } from 'lru-cache'
import Negotiator from 'negotiator'

/** What a request's `accept-encoding` says of the content codings that we send (RFC 9110 section 12.5.3). */
export interface AcceptedCodings {
  /** gzip is acceptable, and at least as welcome as plain bytes. */
  readonly prefersGzip: boolean
  readonly acceptsPlain: boolean
}

export const PLAIN_ONLY: AcceptedCodings = { prefersGzip: false, acceptsPlain: true }

/** In the order of our preference, for equal q values. */
const SENT = ['gzip', 'identity']
/** Another name of `gzip` (RFC 9110 section 8.4.1.3). */
const X_GZIP = /\bx-gzip\b/gi
/** Length limit: browsers send some 30 characters. A longer header counts as absent. */
const MAX_CHARS = 200
/** Cache of parsed headers: clients are many, and their headers few. */
const known = new LRUCache<string, AcceptedCodings>({ max: 100 })

/** Parses `accept-encoding`: a list with q values, `identity;q=0` and `*`. Without it, answers are plain. */
export function acceptedCodings({ headers }: IncomingMessage): AcceptedCodings {
  const { 'accept-encoding': header } = headers
  if (typeof header !== 'string' || header.length > MAX_CHARS) return PLAIN_ONLY
  let accepted = known.get(header)
  if (!accepted) {
    const negotiator = new Negotiator({ headers: { 'accept-encoding': header.replace(X_GZIP, 'gzip') } })
    const codings = preferred(negotiator)
    accepted = { prefersGzip: codings[0] === 'gzip', acceptsPlain: codings.includes('identity') }
    known.set(header, accepted)
  }
  return accepted
}

/** The package has this option since version 1; its types have not. */
function preferred(negotiator: Negotiator): string[] {
  const encodings: (available: string[], options: { preferred: string[] }) => string[] = negotiator.encodings
  return Reflect.apply(encodings, negotiator, [SENT, { preferred: SENT }])
}
