import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { isAnswering } from '../transport/pipelining.ts'
import { ConnectionLimit } from './connection-limit.ts'
import { TIMEOUTS, type Timeouts } from './timeouts.ts'

/** Time for connections opened just before a shutdown to send their requests, and to receive their streams. */
const LAST_REQUESTS_MS = 1_000
const LOOK_MS = 10

export interface ConnectionsOptions {
  /** Limit of connections that are not streams. */
  readonly max: number
  /** Limit for each address. */
  readonly maxPerAddress?: number
  /** The address that a connection counts for; undefined: none. */
  readonly addressOf?: (socket: Socket) => string | undefined
  readonly isStream?: (socket: Socket) => boolean
  /** The server's timeouts. */
  readonly timeouts?: Timeouts
}

/**
 * The connections of a server: their limits, and their end in a graceful shutdown. Node's `closeIdleConnections` is not
 * sufficient: it regards streams as idle, and would keep connections that never sent a request.
 */
export class Connections {
  /** Connections that are not streams. */
  readonly limit: ConnectionLimit<Socket>
  readonly #open = new Set<Socket>()
  /** The last request of each, unless it became a stream. */
  readonly #requests = new WeakMap<Socket, IncomingMessage>()
  readonly #isStream: (socket: Socket) => boolean
  readonly #sweep: NodeJS.Timeout
  #isLeaving = false
  #onEmpty: (() => void) | undefined

  constructor(server: Server, options: ConnectionsOptions) {
    const {
      max,
      maxPerAddress = max,
      addressOf = () => undefined,
      isStream = () => false,
      timeouts = TIMEOUTS,
    } = options
    this.#isStream = isStream
    const isArriving = (socket: Socket) => this.#requests.get(socket)?.complete === false
    this.limit = new ConnectionLimit({ max, maxPerSource: maxPerAddress, sourceOf: addressOf, isArriving })
    const all = this
    // Shared listeners, since there are as many connections as streams.
    function onClose(this: Socket): void {
      all.limit.remove(this)
      all.#open.delete(this)
      if (all.#open.size === 0) all.#onEmpty?.()
    }
    function onFinish(this: ServerResponse): void {
      all.limit.answered(this.req.socket)
      if (all.#isLeaving) setImmediate(() => all.#closeKept())
    }
    const maxIdleMs = timeouts.keepAliveTimeout + timeouts.headersTimeout + timeouts.connectionsCheckingInterval
    this.#sweep = setInterval(() => this.#endIdle(maxIdleMs), timeouts.connectionsCheckingInterval).unref()
    server.on('connection', (socket: Socket) => {
      const toEnd = this.limit.add(socket)
      toEnd?.destroy()
      if (toEnd === socket) return
      this.#open.add(socket)
      socket.on('close', onClose)
    })
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      this.limit.asked(request.socket)
      this.#requests.set(request.socket, request)
      if (this.#isLeaving) response.shouldKeepAlive = false
      response.on('finish', onFinish)
    })
  }

  /**
   * Ends connections that Node keeps indefinitely: bytes that begin no request, such as empty lines, extend a
   * keep-alive timeout. No other connection is idle for longer than the keep-alive and header timeouts.
   */
  #endIdle(maxIdleMs: number): void {
    for (const socket of this.limit.idleSince(performance.now() - maxIdleMs)) socket.destroy()
  }

  /** The connection has become a stream, and counts as one. */
  becameStream(socket: Socket): void {
    this.limit.remove(socket)
    this.#requests.delete(socket)
  }

  /** Closes idle connections. From now on each response has `Connection: close`. */
  leave(): void {
    this.#isLeaving = true
    this.#closeKept()
  }

  /**
   * Resolves when the connections opened before the shutdown have been served, within a bounded time. Streams can then
   * be refused to the few others, while a proxy could not retry a request that it has already sent.
   */
  async settled(): Promise<void> {
    const isWaiting = (socket: Socket) =>
      this.limit.isUnused(socket) || (isAnswering(socket) && !this.#isStream(socket))
    const end = performance.now() + LAST_REQUESTS_MS
    while (performance.now() < end && this.#open.values().some(isWaiting)) await delay(LOOK_MS)
  }

  /** Resolves when all requests have been answered and all connections, streams included, are closed. */
  async empty(): Promise<void> {
    clearInterval(this.#sweep)
    for (const socket of this.#open) if (!isAnswering(socket) && !this.limit.isAsking(socket)) socket.destroy()
    if (this.#open.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onEmpty = resolve
    await promise
  }

  #closeKept(): void {
    for (const socket of this.limit.kept()) if (!isAnswering(socket)) socket.destroy()
  }
}
