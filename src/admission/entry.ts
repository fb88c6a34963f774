import type { IncomingHttpHeaders } from 'node:http'
import type { ErrorSink } from '../errors/resolver-errors.ts'

/** What admission knows of a request, whatever its transport. */
export interface Entry {
  readonly method: string
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders
  /** Of `headers`, with repeated ones. */
  readonly rawHeaders: readonly string[]
  /** Parameters of its URL. */
  readonly query: URLSearchParams
  /** The address that limits are counted for: an IPv4 address, or the /64 network of an IPv6 address. */
  readonly address: string
  readonly requestId: string
  /** Receives masked errors, for the request's log. */
  readonly errors: ErrorSink
}
