import type { IncomingMessage, ServerResponse } from 'node:http'

const METHODS = 'GET, POST, PUT, DELETE'
/** Response headers that scripts may read, beside those that CORS always lets them read. */
const EXPOSED = 'Retry-After, X-Request-Id, WWW-Authenticate'
/** Browsers cache a preflight for so long. Chromium's limit is two hours; a new policy must not take that. */
const MAX_AGE_S = 600
/**
 * Request headers that scripts may send: those of the protocol, and those that clients, tracing and proxies of ordinary
 * pages add without being told. A header that is not allowed makes the browser refuse the whole request, in words that
 * do not name it; none of these has an effect here that its sender could not have otherwise.
 */
const HEADERS = [
  'Accept',
  'Authorization',
  'Content-Type',
  'Last-Event-ID',
  'X-API-Key',
  'X-GraphQL-Event-Stream-Token',
  'X-Request-Id',
  // Tracing: W3C Trace Context and Baggage, Sentry, Zipkin, Datadog, AWS.
  'traceparent',
  'tracestate',
  'baggage',
  'sentry-trace',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-datadog-trace-id',
  'x-datadog-parent-id',
  'x-datadog-origin',
  'x-datadog-sampling-priority',
  'x-amzn-trace-id',
  'x-correlation-id',
  // GraphQL clients.
  'apollo-require-preflight',
  'apollographql-client-name',
  'apollographql-client-version',
  'graphql-client-name',
  'graphql-client-version',
  'graphql-preflight',
  'x-apollo-operation-name',
  'x-apollo-operation-id',
  // Frameworks, and what polyfills of EventSource send.
  'x-requested-with',
  'x-csrf-token',
  'x-xsrf-token',
  'cache-control',
  'pragma',
  'if-none-match',
]
/** So many bytes of a request that Node could not parse are searched for its origin. Node takes 16 KiB of head. */
const MAX_SEARCHED_BYTES = 20 * 1024

/**
 * The policy for scripts of other origins, the same for every path and answer. A listed origin may send credentials;
 * with `*` all others may read what anybody may, without credentials.
 */
export class CorsPolicy {
  readonly #listed: ReadonlySet<string>
  readonly #anybody: boolean
  readonly #headers: string

  constructor(origins: readonly string[], moreHeaders: readonly string[] = []) {
    this.#listed = new Set(origins.filter((origin) => origin !== '*').map((origin) => origin.toLowerCase()))
    this.#anybody = origins.includes('*')
    const own = new Set(HEADERS.map((name) => name.toLowerCase()))
    this.#headers = [...HEADERS, ...moreHeaders.filter((name) => !own.has(name.toLowerCase()))].join(', ')
  }

  /** Sets the headers of an answer. @returns true for a preflight, which has been answered. */
  answer({ method, headers: { origin } }: IncomingMessage, response: ServerResponse): boolean {
    const allowed = this.#allowed(origin)
    for (const [name, value] of allowed) response.setHeader(name, value)
    if (this.#listed.size > 0)
      response.setHeader('vary', [response.getHeader('vary'), 'Origin'].filter(Boolean).join(', '))
    if (method !== 'OPTIONS') return false
    if (allowed.length > 0) {
      response.setHeader('access-control-allow-methods', METHODS)
      response.setHeader('access-control-allow-headers', this.#headers)
      response.setHeader('access-control-max-age', MAX_AGE_S)
    }
    response.writeHead(204, { 'content-length': 0 }).end()
    return true
  }

  /** The same headers, as text, for a request that Node could not parse; `bytes` are what is known of it. */
  headOf(bytes: Buffer | undefined): string {
    const head = bytes?.toString('latin1', 0, MAX_SEARCHED_BYTES) ?? ''
    const [, origin] = /\r\norigin:[ \t]*([^\r\n]*)\r\n/i.exec(head) ?? []
    return this.#allowed(origin?.trim())
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')
  }

  #allowed(origin: string | undefined): readonly (readonly [name: string, value: string])[] {
    // A browser serializes it in lower case. `null` is any sandboxed page: it cannot be listed.
    if (origin !== undefined && this.#listed.has(origin)) return [['access-control-allow-origin', origin], ...BY_NAME]
    return this.#anybody ? TO_ANYBODY : []
  }
}

const BY_NAME = [
  ['access-control-allow-credentials', 'true'],
  ['access-control-expose-headers', EXPOSED],
] as const
const TO_ANYBODY = [
  ['access-control-allow-origin', '*'],
  ['access-control-expose-headers', EXPOSED],
] as const
