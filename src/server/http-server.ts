import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import cors from 'cors'
import type { Logger } from 'pino'
import { refusedRetryMs } from '../delivery/retry.ts'
import { SluiceError } from '../errors.ts'
import { answerError } from '../transport/answer.ts'
import type { AnswerBudget } from '../transport/answer-budget.ts'
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
  readonly answers: AnswerBudget
  readonly log: Logger
}

/** The server that clients reach: request ids, one CORS policy for all paths, and the GraphQL endpoint. */
export function createHttpServer(options: HttpServerOptions): Server {
  const { endpoint, path, corsOrigins, addresses, answers, log } = options
  const withCors = cors({
    origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Last-Event-ID', 'X-GraphQL-Event-Stream-Token', 'X-Request-Id'],
    exposedHeaders: ['Retry-After', 'X-Request-Id'],
    maxAge: 600,
  })

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const requestId = requestIdOf(request)
    response.setHeader('x-request-id', requestId)
    try {
      await turn(request, response)
      const url = URL.parse(request.url ?? '/', 'http://gateway')
      if (url?.pathname !== path)
        throw new SluiceError('NOT_FOUND', `There is nothing at this path: GraphQL is at ${path}`)
      await endpoint.serve(request, response, url)
    } catch (error) {
      fail(response, error, log.child({ requestId, client: addresses.of(request) }))
    }
  }

  const server = createServer({ ServerResponse: answers.Response }, (request, response) => {
    withCors(request, response, () => void handle(request, response))
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
    log.error({ err: error }, 'A request failed after its answer had begun')
    response.destroy()
    return
  }
  let known = error
  if (!(known instanceof SluiceError)) {
    log.error({ err: error }, 'A request failed')
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

/** The caller's id, where it is one that a log can hold. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && given.length <= MAX_REQUEST_ID && /^[\w.-]+$/.test(given) ? given : randomUUID()
}
