import type { Socket } from 'node:net'
import type { StreamRoom } from '../admission/limits/limits.ts'
import type { Transport } from '../admission/open-stream.ts'
import type { StreamOwner } from '../admission/stream-owner.ts'
import type { CloseReason, OutletListener } from '../delivery/outlet.ts'
import type { Faults } from '../errors/faults.ts'
import type { StreamOutlet } from './single/stream-options.ts'

/** Timeout of an ended stream whose client reads no more bytes: the socket is then destroyed. */
const END_GRACE_MS = 5_000

/** Counters of streams in all modes. */
export interface StreamStats {
  /** New streams that were refused for lack of room. */
  refused: number
  /** Ended streams that were destroyed after that timeout. */
  cut: number
  /** Bytes that were written. */
  bytes: number
}

export interface StreamSocketOptions {
  readonly socket: Socket
  readonly owner: StreamOwner
  readonly transport: Transport
  readonly room: StreamRoom
  /** Bytes that the socket was given before this stream's head. */
  readonly bytesBefore: number
  readonly stats: StreamStats
  readonly faults: Faults
}

/**
 * A response's socket, as the outlet of a stream. The body is delimited by the connection's close. It is therefore the
 * same for HTTP/1.0 and 1.1, and the engine's bytes are written unchanged.
 */
export class StreamSocket implements StreamOutlet {
  readonly owner: StreamOwner
  readonly transport: Transport
  /** What its client may use; its room is given back when it has closed. */
  readonly share: StreamRoom
  readonly #socket: Socket
  readonly #stats: StreamStats
  readonly #faults: Faults
  #listener: OutletListener | undefined
  readonly #bytesBefore: number
  #gone = false
  /** Index of its age slot. */
  slot = 0
  /** When it opened, in milliseconds of the monotonic clock. */
  readonly openedAt = performance.now()
  /** Why it ends, by whoever ends it first; undefined: it goes on, or its client has left. */
  closeReason: CloseReason | undefined

  constructor({ socket, owner, transport, room, bytesBefore, stats, faults }: StreamSocketOptions) {
    this.owner = owner
    this.transport = transport
    this.share = room
    this.#socket = socket
    this.#stats = stats
    this.#faults = faults
    this.#bytesBefore = bytesBefore
  }

  /** Bytes given to its socket, with the response head, as they are sent. */
  get bytesWritten(): number {
    return this.#socket.bytesWritten - this.#bytesBefore
  }

  get unsent(): number {
    return this.#socket.writableLength
  }

  /** Results written to it. */
  get events(): number {
    return this.#listener?.events ?? 0
  }

  /** Listener of drain and close events. */
  attach(listener: OutletListener): void {
    this.#listener = listener
    if (this.#gone) listener.gone()
    this.#socket.uncork()
  }

  write(bytes: Buffer): boolean {
    this.#stats.bytes += bytes.length
    return this.#socket.write(bytes)
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  closing(reason: CloseReason): void {
    this.closeReason ??= reason
  }

  end(bytes?: Buffer): void {
    if (bytes) this.write(bytes)
    this.#socket.end()
    const timer = setTimeout(() => {
      if (this.#socket.writableLength > 0) this.#stats.cut++
      this.#socket.destroy()
    }, END_GRACE_MS)
    this.#socket.once('close', () => clearTimeout(timer))
  }

  /** Planned end, after a complete frame, with a short reconnection delay. */
  leave(reason: CloseReason): void {
    if (this.#gone) return
    this.closing(reason)
    this.#tell((listener) => listener.end(reason))
  }

  destroy(): void {
    this.#socket.destroy()
  }

  drained(): void {
    this.#tell((listener) => listener.drained())
  }

  gone(): void {
    this.#gone = true
    this.#tell((listener) => listener.gone())
  }

  /** Containment: an exception in a socket's listener would end the process. It ends this stream instead. */
  #tell(act: (listener: OutletListener) => void): void {
    if (!this.#listener) return
    try {
      act(this.#listener)
    } catch (error) {
      this.#faults.tell('stream', error)
      this.closing('failed')
      this.#socket.destroy()
    }
  }
}
