import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { ErrorCode } from '../errors/codes.ts'
import { isAnswering } from '../transport/pipelining.ts'
import { refuseBody } from '../transport/request-body.ts'

/** Timeouts of a server in milliseconds: Node's options. Streams have others. */
export interface Timeouts {
  readonly headersTimeout: number
  readonly requestTimeout: number
  readonly connectionsCheckingInterval: number
  readonly keepAliveTimeout: number
}

export const TIMEOUTS: Timeouts = {
  /** From the connect, or from the first byte of a later request. A head is a packet or two, also on a bad network. */
  headersTimeout: 15_000,
  /** Of the whole request: a body has at most 256 KiB. */
  requestTimeout: 30_000,
  /** Period of Node's checks: a timeout takes effect at most this much later. */
  connectionsCheckingInterval: 1_000,
  /** Node's default. No peer needs more: Nginx keeps no connections to a gateway. */
  keepAliveTimeout: 5_000,
}

/** Time for a refused client to read the response, and to close: a reset may discard it. */
const LINGER_MS = 1_000
const TIMED_OUT = 'ERR_HTTP_REQUEST_TIMEOUT'
/** Node's error codes of invalid requests, where a more specific status than 400 exists. */
const BROKEN_REQUESTS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  [TIMED_OUT]: '408 Request Timeout',
}

/**
 * Answers invalid, truncated and slow requests. These must not be exceptions.
 * @param tell counts each, by the code that fits.
 * @param headOf more header lines, by the bytes that could not be parsed, where Node hands them over.
 */
export function answerBrokenRequests(
  server: Server,
  headOf: (bytes: Buffer | undefined) => string = () => '',
  tell: (code: ErrorCode) => void = () => {},
): void {
  server.on('clientError', (error: NodeJS.ErrnoException & { readonly rawPacket?: Buffer }, stream) => {
    const socket = stream as Socket
    // The reader of the body answers, with the headers of every response.
    if (error.code === TIMED_OUT && refuseBody(socket)) return
    // Bytes written now would be inside a response, or be taken for it.
    if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) return void socket.destroy()
    const status = BROKEN_REQUESTS[error.code ?? ''] ?? '400 Bad Request'
    tell(error.code === TIMED_OUT ? 'REQUEST_TIMEOUT' : 'BAD_REQUEST')
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n${headOf(error.rawPacket)}\r\n`)
    // A server's socket otherwise stays half open for as long as its client keeps it.
    const timer = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => clearTimeout(timer))
  })
}
