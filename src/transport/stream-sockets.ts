import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { SluiceError } from '../errors/codes.ts'
import type { Faults } from '../errors/faults.ts'
import { STREAM_HEADERS } from './answer.ts'
import { isFollowed, takeConnection } from './pipelining.ts'
import { spread } from './spread.ts'
import { StreamAges } from './stream-ages.ts'
import { StreamSocket, type StreamStats } from './stream-socket.ts'

/** A drain takes no longer than this for each stream: few streams need not be spread over all of `DRAIN_MS`. */
const DRAIN_STREAM_MS = 1_000

export interface StreamSocketsOptions {
  /** Beyond it, new streams are refused. Nobody is ever closed to make room: who is closed comes back at once. */
  readonly maxStreams?: number
  /** After this and a jitter a stream is ended as planned, in milliseconds; 0: it may become as old as it likes. */
  readonly maxAgeMs?: number
  readonly faults: Faults
  /** A connection has become a stream. */
  readonly onOpen?: (socket: Socket) => void
}

/** The sockets of all open streams, whatever runs on them. */
export class StreamSockets {
  readonly stats: StreamStats = { refused: 0, cut: 0 }
  readonly maxStreams: number
  readonly #open = new Map<Socket, StreamSocket>()
  readonly #ages: StreamAges<StreamSocket>
  readonly #hurry = new AbortController()
  #isDraining = false
  #onNone: (() => void)[] = []
  readonly #faults: Faults
  readonly #onOpen: (socket: Socket) => void
  readonly #failed = (error: unknown): void => this.#faults.tell('stream', error)

  // One listener of each kind for all sockets, since closures of their own would be a good part of what a stream takes.
  readonly #onDrain: (this: Socket) => void
  readonly #onClose: (this: Socket) => void

  constructor(options: StreamSocketsOptions) {
    const { maxStreams = Number.POSITIVE_INFINITY, maxAgeMs = 0, faults, onOpen = () => {} } = options
    this.maxStreams = maxStreams
    this.#onOpen = onOpen
    this.#faults = faults
    this.#ages = new StreamAges(maxAgeMs, (stream) => stream.leave('age'), this.#failed)
    const all = this
    this.#onDrain = function () {
      all.#open.get(this)?.drained()
    }
    this.#onClose = function () {
      all.#closed(this)
    }
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  has(socket: Socket): boolean {
    return this.#open.has(socket)
  }

  /** @throws SluiceError `NOT_READY` when the gateway shuts down, `TOO_MANY_STREAMS`: no stream can be opened. */
  demandRoom(): void {
    if (this.#isDraining) throw new SluiceError('NOT_READY', 'The gateway is shutting down')
    if (this.#open.size < this.maxStreams) return
    this.stats.refused++
    throw new SluiceError('TOO_MANY_STREAMS')
  }

  /**
   * Sends the head of a stream, takes over the socket, and begins what goes out on it; unless the client has gone
   * meanwhile, or has sent another request behind this one. What is thrown after the head ends this stream, since
   * nothing else can be answered.
   * @throws SluiceError as `demandRoom` does.
   */
  open(response: ServerResponse, begin: (stream: StreamSocket) => void): void {
    this.demandRoom()
    const { socket } = response
    if (!socket || socket.destroyed) return
    if (isFollowed(socket)) {
      socket.destroy()
      return
    }
    this.#faults.contain(
      'stream',
      () => begin(this.#takeOver(response, socket)),
      () => socket.destroy(),
    )
  }

  /**
   * Opens no more streams, and ends those that are open: evenly over `spreadMs` milliseconds, so that their clients do
   * not come back all at once; what is left of them at once, if it is called again with 0. Resolves when none is open:
   * a stream that takes no more bytes is cut `END_GRACE_MS` after its turn.
   */
  async drain(spreadMs: number): Promise<void> {
    this.#isDraining = true
    this.#ages.stop()
    if (spreadMs === 0) this.#hurry.abort()
    const streams = [...this.#open.values()]
    const overMs = Math.min(spreadMs, streams.length * DRAIN_STREAM_MS)
    await spread(streams, overMs, (stream) => stream.leave('shutdown'), this.#failed, this.#hurry.signal)
    await this.#none()
  }

  #none(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onNone.push(resolve))
  }

  /**
   * Parts the socket from its request and response, so that what an open stream keeps alive is the socket alone. Node
   * holds the request until the socket closes, but not what it says. From here on Node takes the connection for an idle
   * one: `server.closeIdleConnections` would end it.
   */
  #takeOver(response: ServerResponse, socket: Socket): StreamSocket {
    // The head and the first block go out as one, when whoever opened the stream has attached its listener.
    socket.cork()
    response.useChunkedEncodingByDefault = false
    response.shouldKeepAlive = false
    response.writeHead(200, STREAM_HEADERS)
    response.flushHeaders()
    const { req: request } = response
    takeConnection(response, socket)
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

    const stream = new StreamSocket(socket, this.stats, this.#faults)
    this.#open.set(socket, stream)
    this.#ages.add(stream)
    this.#onOpen(socket)
    return stream
  }

  #closed(socket: Socket): void {
    const stream = this.#open.get(socket)
    this.#open.delete(socket)
    if (stream) this.#ages.remove(stream)
    stream?.gone()
    if (this.#open.size === 0) for (const resolve of this.#onNone.splice(0)) resolve()
  }
}

function cut(this: Socket): void {
  this.destroy()
}
