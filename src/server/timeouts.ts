import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { refuseBody } from '../transport/params.ts'
import { isAnswering } from '../transport/pipelining.ts'

/** How long a server waits for its clients, in milliseconds: options of Node's. Streams have their own limits. */
export interface Timeouts {
  readonly headersTimeout: number
  readonly requestTimeout: number
  readonly connectionsCheckingInterval: number
  readonly keepAliveTimeout: number
}

export const TIMEOUTS: Timeouts = {
  /** From the connect, or from the first byte of a later request: a head is a packet or two, also on a bad network. */
  headersTimeout: 15_000,
  /** For the whole request: a body has 256 KiB at most. */
  requestTimeout: 30_000,
  /** So often Node looks for those that are over: none lasts longer than that beyond its time. */
  connectionsCheckingInterval: 1_000,
  /** Node's own default. Nothing waits longer for a next request: Nginx keeps no connections to a gateway. */
  keepAliveTimeout: 5_000,
}

/** A refused client has this long to read why, and to close: what is reset at once may never be read. */
const LINGER_MS = 1_000
const TIMED_OUT = 'ERR_HTTP_REQUEST_TIMEOUT'
/** What Node says of requests that it cannot read, where there is a better answer than 400. */
const BROKEN_REQUESTS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  [TIMED_OUT]: '408 Request Timeout',
}

/** Answers what is no HTTP at all, is broken in the middle, or too slow in coming: it must not be an exception. */
export function answerBrokenRequests(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket
    // Whoever reads the body answers with what every answer has.
    if (error.code === TIMED_OUT && refuseBody(socket)) return
    // What would be written now would land inside of an answer, or be taken for it.
    if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) return void socket.destroy()
    socket.end(`HTTP/1.1 ${BROKEN_REQUESTS[error.code ?? ''] ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`)
    // A server's socket stays half open for as long as its client likes.
    const timer = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => clearTimeout(timer))
  })
}
