import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Member, Outlet } from '../delivery/subscriber.ts'
import { STREAM_HEADERS } from './answer.ts'
import { isFollowed } from './turn.ts'

/** An ended stream whose client takes no more bytes is cut after this long. */
const END_GRACE_MS = 5_000

/**
 * A response's socket, as the outlet of a stream. The body is delimited by the connection's close, so what is written
 * is the same for HTTP/1.0 and 1.1, and the engine's bytes go out as they are.
 */
class StreamSocket implements Outlet {
  readonly #socket: Socket
  #member: Member | undefined
  #gone = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Who is told when the socket has room again, and when it is gone. */
  attach(member: Member): void {
    this.#member = member
    if (this.#gone) member.gone()
    this.#socket.uncork()
  }

  write(bytes: Buffer): boolean {
    return this.#socket.write(bytes)
  }

  end(bytes?: Buffer): void {
    if (bytes) this.#socket.write(bytes)
    this.#socket.end()
    const timer = setTimeout(() => this.#socket.destroy(), END_GRACE_MS)
    this.#socket.once('close', () => clearTimeout(timer))
  }

  destroy(): void {
    this.#socket.destroy()
  }

  drained(): void {
    this.#member?.drained()
  }

  gone(): void {
    this.#gone = true
    this.#member?.gone()
  }
}

/** The sockets of all open streams. */
export class StreamSockets {
  readonly #open = new Map<Socket, StreamSocket>()
  #onNone: (() => void)[] = []

  // One listener of each kind for all sockets, since closures of their own would be a good part of what a stream takes.
  readonly #onDrain: (this: Socket) => void
  readonly #onClose: (this: Socket) => void

  constructor() {
    const all = this
    this.#onDrain = function () {
      all.#open.get(this)?.drained()
    }
    this.#onClose = function () {
      all.#closed(this)
    }
  }

  /**
   * Sends the head of a stream and takes over the socket.
   * @returns undefined if the client has gone meanwhile, or has sent another request behind this one.
   */
  open(response: ServerResponse): StreamSocket | undefined {
    const { socket } = response
    if (!socket || socket.destroyed) return undefined
    if (isFollowed(socket)) {
      socket.destroy()
      return undefined
    }
    // The head and the first block go out as one, when whoever opened the stream has attached its member.
    socket.cork()
    response.useChunkedEncodingByDefault = false
    response.shouldKeepAlive = false
    response.writeHead(200, STREAM_HEADERS)
    response.flushHeaders()
    const stream = new StreamSocket(socket)
    this.#open.set(socket, stream)
    this.#takeOver(response, socket)
    return stream
  }

  /** Resolves when no stream is open: soon after all have been ended. */
  none(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onNone.push(resolve))
  }

  /**
   * Parts the socket from its request and response, so that what an open stream keeps alive is the socket alone. Node
   * holds the request until the socket closes, but not what it says. From here on Node takes the connection for an idle
   * one: `server.closeIdleConnections` would end it.
   */
  #takeOver(response: ServerResponse, socket: Socket): void {
    const { req: request } = response
    response.detachSocket(socket)
    request.headers = {}
    request.rawHeaders = []

    socket.setTimeout(0)
    // Node's parser is to see no more of this connection: nothing may follow a stream on it.
    socket.removeAllListeners('data')
    socket.on('data', cut)
    // A client that has said its last word has gone.
    socket.on('end', cut)
    socket.on('drain', this.#onDrain)
    socket.on('close', this.#onClose)
  }

  #closed(socket: Socket): void {
    const stream = this.#open.get(socket)
    this.#open.delete(socket)
    stream?.gone()
    if (this.#open.size === 0) for (const resolve of this.#onNone.splice(0)) resolve()
  }
}

function cut(this: Socket): void {
  this.destroy()
}
