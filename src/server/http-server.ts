import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { challengeOf } from '../admission/authentication/refusal.ts'
import type { Entry } from '../admission/entry.ts'
import { SluiceError } from '../errors/codes.ts'
import { logError } from '../errors/faults.ts'
import type { RefusalCounts } from '../errors/refusal-counts.ts'
import type { ResolverErrors } from '../errors/resolver-errors.ts'
import { refusedRetryMs } from '../errors/retry-hints.ts'
import { acceptedCodings, PLAIN_ONLY } from '../protocol/content-coding.ts'
import { CODINGS_TAKEN, UnsupportedCoding } from '../protocol/request-coding.ts'
import { answerError } from '../transport/answer.ts'
import type { AnswerResponse } from '../transport/answer-body.ts'
import type { AnswerBudget } from '../transport/answer-budget.ts'
import { answerTaken } from '../transport/given-up.ts'
import { inOrder } from '../transport/pipelining.ts'
import type { ClientAddresses } from './client-address.ts'
import { CorsPolicy } from './cors.ts'
import type { Endpoint } from './endpoint.ts'
import type { Refused } from './inspect/refusal-log.ts'
import { MethodNotAllowed } from './method-not-allowed.ts'
import { setSecurityHeaders } from './security-headers.ts'
import { demandSingleHeaders } from './single-headers.ts'
import { answerBrokenRequests, TIMEOUTS, type Timeouts } from './timeouts.ts'
import { demandNoWebSocket } from './websocket.ts'

const MAX_REQUEST_ID = 64
/**
 * Delay of an answer to a client that asks for more than its share. Whoever asks again as soon as it is answered is slowed
 * by this, and cannot spend the instance's time on refusals. Those that wait are bounded by the limit of connections.
 */
const OVER_SHARE_WAIT_MS = 200

export interface HttpServerOptions {
  readonly endpoint: Endpoint
  readonly corsOrigins: readonly string[]
  /** Request headers that scripts may send, beside those of ordinary tools. */
  readonly corsHeaders?: readonly string[]
  readonly addresses: ClientAddresses
  readonly errors: ResolverErrors
  readonly answers: AnswerBudget
  readonly refusals: RefusalCounts
  /** Is told of every request that is answered with an error, and not run. */
  readonly onRefused?: (refused: Refused) => void
  /** Answers are compressed for the clients that accept that. */
  readonly compresses: boolean
  readonly log: Logger
  readonly timeouts?: Timeouts
}

/** The public server: request ids, one CORS policy for all paths, and the GraphQL endpoint. */
export function createHttpServer(options: HttpServerOptions): Server {
  const {
    answers,
    refusals,
    onRefused = () => {},
    compresses,
    errors,
    endpoint,
    addresses,
    log,
    timeouts = TIMEOUTS,
  } = options
  const cors = new CorsPolicy(options.corsOrigins, options.corsHeaders)

  const handle = async (request: IncomingMessage, response: ServerResponse, ownLog: () => Logger): Promise<void> => {
    try {
      await inOrder(request, response)
      const { codings = PLAIN_ONLY } = response as AnswerResponse
      if (!codings.prefersGzip && !codings.acceptsPlain) {
        throw new SluiceError('NOT_ACCEPTABLE', 'The Accept-Encoding header accepts neither gzip nor identity')
      }
      demandSingleHeaders(request.rawHeaders)
      demandNoWebSocket(request)
      const url = urlOf(request)
      if (!url) throw new SluiceError('NOT_FOUND')
      const entry: Entry = {
        method: request.method ?? '',
        headers: request.headers,
        rawHeaders: request.rawHeaders,
        query: url.searchParams,
        address: addresses.networkOf(request),
        requestId: String(response.getHeader('x-request-id')),
        errors: errors.within(ownLog),
      }
      await endpoint.serve({ request, response, url, entry })
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'RATE_LIMITED') await sleep(OVER_SHARE_WAIT_MS)
      fail(response, error, ownLog())
    }
  }

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    answerTaken(request.socket)
    const requestId = requestIdOf(request)
    response.setHeader('x-request-id', requestId)
    setSecurityHeaders(response)
    const answered = response as AnswerResponse
    answered.refused = (code) => {
      refusals.tell(code)
      onRefused({ requestId, code, principal: answered.principal, address: addresses.networkOf(request) })
    }
    if (compresses) prepareCodings(request, response)
    const ownLog = () => log.child({ requestId, client: addresses.of(request) })
    try {
      if (!cors.answer(request, response)) void handle(request, response, ownLog)
    } catch (error) {
      fail(response, error, ownLog())
    }
  }
  const server = createServer({ ...timeouts, ServerResponse: answers.Response }, answer)
  // Node's own refusal would have none of these headers. What is expected, beside 100-continue, may be ignored.
  server.on('checkExpectation', answer)
  answerBrokenRequests(server, (bytes) => cors.headOf(bytes), refusals.tell)
  return server
}

function prepareCodings(request: IncomingMessage, response: AnswerResponse): void {
  response.codings = acceptedCodings(request)
  response.setHeader('vary', 'Accept-Encoding') // the CORS policy appends to it
}

function fail(response: ServerResponse, error: unknown, log: Logger): void {
  if (response.headersSent) {
    logError(log, error, {}, 'A request failed after its answer had begun')
    response.destroy()
    return
  }
  let known = error
  if (!(known instanceof SluiceError)) {
    logError(log, error, {}, 'A request failed')
    known = new SluiceError('INTERNAL_SERVER_ERROR')
  }
  const headers: Record<string, string> = {}
  if (known instanceof MethodNotAllowed) headers.allow = known.allow
  if (known instanceof UnsupportedCoding) headers['accept-encoding'] = CODINGS_TAKEN
  const { status, code, retryAfterMs } = known as SluiceError
  if (status === 401) headers['www-authenticate'] = challengeOf(known as SluiceError)
  const waitMs = retryAfterMs ?? (status === 503 ? refusedRetryMs(code) : undefined)
  if (waitMs !== undefined) headers['retry-after'] = String(Math.ceil(waitMs / 1000))
  // The unread rest of a body would be parsed as the next request; what follows a handshake is no request.
  if (!response.req.complete || code === 'WEBSOCKET_NOT_SERVED') headers.connection = 'close'
  answerError(response, known as SluiceError, headers)
}

/**
 * Path and query of a request target, in origin or absolute form (RFC 9112 section 3.2). The host of an absolute form
 * is not used, and neither is `Host`. Undefined for any other form.
 */
function urlOf({ url: target = '' }: IncomingMessage): URL | undefined {
  // Not resolved against a base URL: there, "//x/graphql" would be the path of another host.
  if (target.startsWith('/')) return URL.parse(`http://gateway${target}`) ?? undefined
  return /^https?:\/\//i.test(target) ? (URL.parse(target) ?? undefined) : undefined
}

/** The caller's id, if its format is safe for a log. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && given.length <= MAX_REQUEST_ID && /^[\w.-]+$/.test(given) ? given : randomUUID()
}
