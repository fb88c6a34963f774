import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import cors from 'cors'
import type { Logger } from 'pino'
import { logFailure } from '../delivery/log-failure.ts'
import { refusedRetryMs } from '../delivery/retry.ts'
import { SluiceError } from '../errors.ts'
import { answerError } from '../transport/answer.ts'
import { isAnswering, turn } from '../transport/turn.ts'
import type { ClientAddresses } from './client-address.ts'
import { type Endpoint, MethodNotAllowed } from './endpoint.ts'

const MAX_REQUEST_ID = 64
/** What Node says of requests that it cannot read, where there is a better answer than 400. */
const BROKEN_REQUESTS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

export interface HttpServerOptions {
  readonly endpoint: Endpoint
  readonly path: string
  readonly corsOrigins: readonly string[]
  readonly addresses: ClientAddresses
  readonly log: Logger
}

/** The server that clients reach: request ids, one CORS policy for all paths, and the GraphQL endpoint. */
export function createHttpServer({ endpoint, path, corsOrigins, addresses, log }: HttpServerOptions): Server {
  const withCors = cors({
    origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Last-Event-ID', 'X-GraphQL-Event-Stream-Token', 'X-Request-Id'],
    exposedHeaders: ['Retry-After', 'X-Request-Id'],
    maxAge: 600,
  })

  const handle = async (request: IncomingMessage, response: ServerResponse, log: Logger): Promise<void> => {
    try {
      await turn(request, response)
      const url = urlOf(request)
      if (url?.pathname !== path)
        throw new SluiceError('NOT_FOUND', `There is nothing at this path: GraphQL is at ${path}`)
      await endpoint.serve(request, response, url, log)
    } catch (error) {
      fail(response, error, log)
    }
  }

  const server = createServer((request, response) => {
    const requestId = requestIdOf(request)
    const ownLog = log.child({ requestId, client: addresses.of(request) })
    response.setHeader('x-request-id', requestId)
    try {
      withCors(request, response, () => void handle(request, response, ownLog))
    } catch (error) {
      fail(response, error, ownLog)
    }
  })
  // Not HTTP at all, or broken in the middle, or too slow in coming: it must not be an exception.
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // What would be written now would land inside of an answer, or be taken for it.
    if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket as Socket)) socket.destroy()
    else socket.end(`HTTP/1.1 ${BROKEN_REQUESTS[error.code ?? ''] ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`)
  })
  return server
}

function fail(response: ServerResponse, error: unknown, log: Logger): void {
  if (response.headersSent) {
    logFailure(log, error, 'A request failed after its answer had begun')
    response.destroy()
    return
  }
  let known = error
  if (!(known instanceof SluiceError)) {
    logFailure(log, error, 'A request failed')
    known = new SluiceError('INTERNAL_SERVER_ERROR')
  }
  const headers: Record<string, string> = {}
  if (known instanceof MethodNotAllowed) headers.allow = known.allow
  const { status, code } = known as SluiceError
  if (status === 503) headers['retry-after'] = String(Math.ceil(refusedRetryMs(code) / 1000))
  // What is left of a body that was not read would be taken for the next request.
  if (!response.req.complete) headers.connection = 'close'
  answerError(response, known as SluiceError, headers)
}

/**
 * What is asked for, by path and query. A request target is a path, or a whole URL of which the host counts no more than
 * the header `Host` does (RFC 9112 section 3.2). Undefined for what is neither.
 */
function urlOf({ url: target = '' }: IncomingMessage): URL | undefined {
  // Not relative to a URL: to that, a target of "//x/graphql" would be the path of another host.
  if (target.startsWith('/')) return URL.parse(`http://gateway${target}`) ?? undefined
  return /^https?:\/\//i.test(target) ? (URL.parse(target) ?? undefined) : undefined
}

/** The caller's id, where it is one that a log can hold. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && given.length <= MAX_REQUEST_ID && /^[\w.-]+$/.test(given) ? given : randomUUID()
}
