import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { isAnswering } from '../transport/turn.ts'

/** A connection that came just before the end has this long to send its request, and to be given its stream. */
const LAST_REQUESTS_MS = 1_000
const LOOK_MS = 10

/**
 * The connections of a server, for when it leaves. Node's own `closeIdleConnections` does not do: it takes streams for
 * idle, and would leave those that never sent a request.
 */
export class Connections {
  readonly #open = new Set<Socket>()
  /** They have not sent a request yet. */
  readonly #unused = new WeakSet<Socket>()
  /** They have had an answer, and are kept by their clients for more. */
  readonly #kept = new WeakSet<Socket>()
  readonly #isStream: (socket: Socket) => boolean
  #isLeaving = false
  #onEmpty: (() => void) | undefined

  constructor(server: Server, isStream: (socket: Socket) => boolean) {
    this.#isStream = isStream
    const all = this
    // One listener of each kind for all connections, which are as many as there are streams.
    function onClose(this: Socket): void {
      all.#open.delete(this)
      if (all.#open.size === 0) all.#onEmpty?.()
    }
    function onFinish(this: ServerResponse): void {
      all.#kept.add(this.req.socket)
      if (all.#isLeaving) setImmediate(() => all.#closeKept())
    }
    server.on('connection', (socket: Socket) => {
      this.#open.add(socket)
      this.#unused.add(socket)
      socket.on('close', onClose)
    })
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#unused.delete(request.socket)
      if (this.#isLeaving) response.shouldKeepAlive = false
      response.on('finish', onFinish)
    })
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
    const isWaiting = (socket: Socket) => this.#unused.has(socket) || (isAnswering(socket) && !this.#isStream(socket))
    const end = performance.now() + LAST_REQUESTS_MS
    while (performance.now() < end && this.#open.values().some(isWaiting)) await delay(LOOK_MS)
  }

  /** Resolves when all requests have been answered and no connection is open: once the streams have ended. */
  async empty(): Promise<void> {
    for (const socket of this.#open) if (!isAnswering(socket)) socket.destroy()
    if (this.#open.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onEmpty = resolve
    await promise
  }

  #closeKept(): void {
    for (const socket of this.#open) if (this.#kept.has(socket) && !isAnswering(socket)) socket.destroy()
  }
}
