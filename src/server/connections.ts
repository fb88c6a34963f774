import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { isAnswering } from '../transport/turn.ts'

/** A connection that came just before the end has this long to send its request. */
const FIRST_REQUEST_MS = 1_000

/**
 * The connections of a server, for when it leaves. Node's own `closeIdleConnections` does not do: it takes streams for
 * idle, and would leave those that never sent a request.
 */
export class Connections {
  readonly #open = new Set<Socket>()
  /** They have had an answer, and are kept by their clients for more. */
  readonly #kept = new WeakSet<Socket>()
  #isLeaving = false
  #onEmpty: (() => void) | undefined

  constructor(server: Server) {
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
      socket.on('close', onClose)
    })
    server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
      if (this.#isLeaving) response.shouldKeepAlive = false
      response.on('finish', onFinish)
    })
  }

  /** Closes connections that nobody waits on. From now on an answer is the last of its connection, and says so. */
  leave(): void {
    this.#isLeaving = true
    this.#closeKept()
  }

  /** Resolves when all requests have been answered and no connection is open: once the streams have ended. */
  async empty(): Promise<void> {
    if (this.#open.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#onEmpty = resolve
      await Promise.race([promise, delay(FIRST_REQUEST_MS, undefined, { ref: false })])
      for (const socket of this.#open) if (!isAnswering(socket)) socket.destroy()
      await promise
    }
  }

  #closeKept(): void {
    for (const socket of this.#open) if (this.#kept.has(socket) && !isAnswering(socket)) socket.destroy()
  }
}
