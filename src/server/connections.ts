import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { isAnswering } from '../transport/pipelining.ts'
import { ConnectionLimit } from './connection-limit.ts'
import { TIMEOUTS, type Timeouts } from './timeouts.ts'

/** A connection that came just before the end has this long to send its request, and to be given its stream. */
const LAST_REQUESTS_MS = 1_000
const LOOK_MS = 10

export interface ConnectionsOptions {
  /** How many there may be that are no streams. */
  readonly max: number
  /** How many of them of one address. */
  readonly maxPerAddress?: number
  /** The address that a connection counts for; undefined: it counts for none. */
  readonly addressOf?: (socket: Socket) => string | undefined
  readonly isStream?: (socket: Socket) => boolean
  /** Those of the server. */
  readonly timeouts?: Timeouts
}

/**
 * The connections of a server: their bounds, and their ends when it leaves. Node's own `closeIdleConnections` does not
 * do: it takes streams for idle, and would leave those that never sent a request.
 */
export class Connections {
  /** Those that are no streams. */
  readonly limit: ConnectionLimit<Socket>
  readonly #open = new Set<Socket>()
  /** The last request of each, while it is none of a stream. */
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
    // One listener of each kind for all connections, which are as many as there are streams.
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
   * Ends connections that Node keeps indefinitely: bytes that begin no request, such as empty lines, put off the end of a
   * kept connection. No other is idle for longer than its keep-alive time and that of a head.
   */
  #endIdle(maxIdleMs: number): void {
    for (const socket of this.limit.idleSince(performance.now() - maxIdleMs)) socket.destroy()
  }

  /** This connection is a stream now, and counts as one. */
  becameStream(socket: Socket): void {
    this.limit.remove(socket)
    this.#requests.delete(socket)
  }

  /** Closes connections that nobody waits on. From now on an answer is the last of its connection, and says so. */
  leave(): void {
    this.#isLeaving = true
    this.#closeKept()
  }

  /**
   * Resolves when those who have connected have what they came for, or soon: then a stream can be refused to the others,
   * who are few, while a proxy could pass none of these on any more.
   */
  async settled(): Promise<void> {
    const isWaiting = (socket: Socket) =>
      this.limit.isUnused(socket) || (isAnswering(socket) && !this.#isStream(socket))
    const end = performance.now() + LAST_REQUESTS_MS
    while (performance.now() < end && this.#open.values().some(isWaiting)) await delay(LOOK_MS)
  }

  /** Resolves when all requests have been answered and no connection is open: once the streams have ended. */
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
