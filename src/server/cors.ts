import type { IncomingMessage, ServerResponse } from 'node:http'

const METHODS = 'GET, POST, PUT, DELETE'
/** Response headers that scripts may read, beside those that CORS always lets them read. */
const EXPOSED = 'Retry-After, X-Request-Id, WWW-Authenticate'
/** Browsers cache a preflight for so long. Chromium's limit is two hours; a new policy must not take that. */
const MAX_AGE_S = 600
/** Request headers of the protocol. */
const OF_PROTOCOL = [
  'accept',
  'authorization',
  'content-type',
  'last-event-id',
  'x-api-key',
  'x-graphql-event-stream-token',
  'x-request-id',
]
/**
 * Request headers that clients, tracing and proxies of ordinary pages add without being told. A header that is not allowed makes the browser refuse the whole request, in words that
 * do not name it; none of these has an effect here that its sender could not have otherwise.
 */
const OF_TOOLS = [
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
/** Of more it is said what is allowed at all. */
const MAX_ASKED_CHARS = 2_000
/** So many bytes of a request that Node could not parse are searched for its origin. Node takes 16 KiB of head. */
const MAX_SEARCHED_BYTES = 20 * 1024

/**
 * The policy for scripts of other origins, the same for every path and answer. A listed origin may send credentials;
 * with `*` all others may read what anybody may, without credentials.
 */
export class CorsPolicy {
  readonly #listed: ReadonlySet<string>
  readonly #anybody: boolean
  /** In lower case. */
  readonly #headers: ReadonlySet<string>

  constructor(origins: readonly string[], moreHeaders: readonly string[] = []) {
    this.#listed = new Set(origins.filter((origin) => origin !== '*').map((origin) => origin.toLowerCase()))
    this.#anybody = origins.includes('*')
    this.#headers = new Set([...OF_PROTOCOL, ...OF_TOOLS, ...moreHeaders].map((name) => name.toLowerCase()))
  }

  /** Sets the headers of an answer. @returns true for a preflight, which has been answered. */
  answer({ method, headers }: IncomingMessage, response: ServerResponse): boolean {
    const { origin, 'access-control-request-headers': asked } = headers
    const allowed = this.#allowed(origin)
    for (const [name, value] of allowed) response.setHeader(name, value)
    if (this.#listed.size > 0) addVary(response, 'Origin')
    if (method !== 'OPTIONS') return false
    if (allowed.length > 0) {
      response.setHeader('access-control-allow-methods', METHODS)
      response.setHeader('access-control-allow-headers', this.#headersOf(asked))
      addVary(response, 'Access-Control-Request-Headers')
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

  /** Those of the protocol, and what is asked for and allowed: the whole list is longer than most answers. */
  #headersOf(asked: string | undefined): string {
    if (asked === undefined || asked.length > MAX_ASKED_CHARS) return [...this.#headers].join(', ')
    const names = asked.split(',').map((name) => name.trim().toLowerCase())
    return [...new Set([...OF_PROTOCOL, ...names.filter((name) => this.#headers.has(name))])].join(', ')
  }

  #allowed(origin: string | undefined): readonly (readonly [name: string, value: string])[] {
    // A browser serializes it in lower case. `null` is any sandboxed page: it cannot be listed.
    if (origin !== undefined && this.#listed.has(origin)) return [['access-control-allow-origin', origin], ...BY_NAME]
    return this.#anybody ? TO_ANYBODY : []
  }
}

function addVary(response: ServerResponse, name: string): void {
  response.setHeader('vary', [response.getHeader('vary'), name].filter(Boolean).join(', '))
}

const BY_NAME = [
  ['access-control-allow-credentials', 'true'],
  ['access-control-expose-headers', EXPOSED],
] as const
const TO_ANYBODY = [
  ['access-control-allow-origin', '*'],
  ['access-control-expose-headers', EXPOSED],
] as const
