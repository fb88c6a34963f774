import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Limits } from '../admission/limits/limits.ts'
import type { Transport } from '../admission/open-stream.ts'
import type { StreamOwner } from '../admission/stream-owner.ts'
import { SluiceError } from '../errors/codes.ts'
import type { Faults } from '../errors/faults.ts'
import { STREAM_HEADERS } from './answer.ts'
import { isFollowed, takeConnection } from './pipelining.ts'
import { spread } from './spread.ts'
import { StreamAges } from './stream-ages.ts'
import type { StreamObserver } from './stream-observer.ts'
import { StreamSocket, type StreamSocketOptions, type StreamStats } from './stream-socket.ts'

/** Longest drain for each stream: few streams need not be spread over all of `DRAIN_MS`. */
const DRAIN_STREAM_MS = 1_000

export interface StreamSocketsOptions {
  /**
   * Limit of streams: beyond it new ones are refused. None is closed to make room: its client would reconnect at once.
   */
  readonly maxStreams?: number
  /** Maximum age of a stream in milliseconds, less jitter; 0: none. */
  readonly maxAgeMs?: number
  readonly faults: Faults
  /** Absent: a client may open as many as there is room for. */
  readonly limits?: Limits
  readonly observers?: readonly StreamObserver[]
  /** Called when a connection becomes a stream. */
  readonly onOpen?: (socket: Socket) => void
}

/** What the head of a stream says. */
export interface StreamHead {
  readonly transport: Transport
  readonly headers?: OutgoingHttpHeaders
}

/** The sockets of all open streams, in all modes. */
export class StreamSockets {
  readonly stats: StreamStats = { refused: 0, cut: 0, bytes: 0 }
  readonly maxStreams: number
  readonly #open = new Map<Socket, StreamSocket>()
  readonly #ages: StreamAges<StreamSocket>
  readonly #hurry = new AbortController()
  #isDraining = false
  #onNone: (() => void)[] = []
  readonly #faults: Faults
  readonly #onOpen: (socket: Socket) => void
  readonly #observers: readonly StreamObserver[]
  readonly #limits: Limits
  readonly #failed = (error: unknown): void => this.#faults.tell('stream', error)

  // Shared listeners: closures for each socket would be a good part of a stream's memory.
  readonly #onDrain: (this: Socket) => void
  readonly #onClose: (this: Socket) => void

  constructor(options: StreamSocketsOptions) {
    const { maxStreams = Number.POSITIVE_INFINITY, maxAgeMs = 0, faults, limits, observers = [] } = options
    const { onOpen = () => {} } = options
    this.maxStreams = maxStreams
    this.#onOpen = onOpen
    this.#observers = observers
    this.#limits = limits ?? new Limits()
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

  /** Number of open streams. */
  get size(): number {
    return this.#open.size
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  has(socket: Socket): boolean {
    return this.#open.has(socket)
  }

  /** The open streams. */
  [Symbol.iterator](): Iterator<StreamSocket> {
    return this.#open.values()
  }

  /**
   * @throws SluiceError `NOT_READY` during a shutdown, `TOO_MANY_STREAMS` at the limit, `RATE_LIMITED` at one of the
   * owner's.
   */
  demandRoom(owner: StreamOwner): void {
    if (this.#isDraining) throw new SluiceError('NOT_READY', 'The gateway is shutting down')
    if (this.#open.size >= this.maxStreams) {
      this.stats.refused++
      throw new SluiceError('TOO_MANY_STREAMS')
    }
    this.#limits.demandStream(owner)
  }

  /**
   * Sends the response head of a stream, takes over the socket, and calls `begin`; unless the client has disconnected, or
   * has pipelined another request. `headers` are added to those of every stream. What `begin` throws ends this stream:
   * after the head nothing else can be answered.
   * @throws SluiceError as `demandRoom` does.
   */
  open(
    response: ServerResponse,
    owner: StreamOwner,
    begin: (stream: StreamSocket) => void,
    { transport, headers = {} }: StreamHead,
  ): void {
    this.demandRoom(owner)
    const { socket } = response
    if (!socket || socket.destroyed) return
    if (isFollowed(socket)) {
      socket.destroy()
      return
    }
    const room = this.#limits.takeStream(owner)
    this.#faults.contain(
      'stream',
      () => begin(this.#takeOver(response, socket, { owner, transport, room }, headers)),
      () => {
        this.#open.get(socket)?.closing('failed')
        // What is open gives its room back when its socket has closed.
        if (!this.#open.has(socket)) room.release()
        socket.destroy()
      },
    )
  }

  /**
   * Graceful shutdown: refuses new streams, and ends the open ones evenly over `spreadMs` milliseconds, so that their
   * clients do not reconnect all at once. Called again with 0, it ends the rest at once. Resolves when none is open: a
   * stream whose client reads no more bytes is destroyed after `END_GRACE_MS`.
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
   * Detaches the socket from its request and response, so that an open stream retains the socket only. Node retains the
   * request object until the socket closes, but not its contents. From here on Node regards the connection as idle:
   * `server.closeIdleConnections` would end it.
   */
  #takeOver(
    response: ServerResponse,
    socket: Socket,
    of: Pick<StreamSocketOptions, 'owner' | 'transport' | 'room'>,
    headers: OutgoingHttpHeaders,
  ): StreamSocket {
    const { bytesWritten: bytesBefore } = socket
    // Coalesces the head and the first block into one write.
    socket.cork()
    response.useChunkedEncodingByDefault = false
    response.shouldKeepAlive = false
    response.writeHead(200, { ...STREAM_HEADERS, ...headers })
    response.flushHeaders()
    const { req: request } = response
    takeConnection(response, socket)
    request.headers = {}
    request.rawHeaders = []

    socket.setTimeout(0)
    // Detaches Node's parser: no request may follow on a stream's connection.
    socket.removeAllListeners('data')
    socket.on('data', cut)
    // The client has half-closed the connection.
    socket.on('end', cut)
    socket.on('drain', this.#onDrain)
    socket.on('close', this.#onClose)

    const stream = new StreamSocket({ ...of, socket, bytesBefore, stats: this.stats, faults: this.#faults })
    this.#open.set(socket, stream)
    this.#ages.add(stream)
    this.#onOpen(socket)
    for (const observer of this.#observers) this.#faults.contain('stream', () => observer.opened(stream))
    return stream
  }

  #closed(socket: Socket): void {
    const stream = this.#open.get(socket)
    this.#open.delete(socket)
    if (stream) {
      this.#ages.remove(stream)
      stream.share.release()
      stream.gone()
      const reason = stream.closeReason ?? 'client'
      for (const observer of this.#observers) this.#faults.contain('stream', () => observer.closed(stream, reason))
    }
    if (this.#open.size === 0) for (const resolve of this.#onNone.splice(0)) resolve()
  }
}

function cut(this: Socket): void {
  this.destroy()
}
