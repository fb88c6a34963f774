import type { Socket } from 'node:net'
import type { CloseReason, OutletListener } from '../delivery/outlet.ts'
import type { Faults } from '../errors/faults.ts'
import type { StreamOutlet } from './single/stream.ts'

/** An ended stream whose client takes no more bytes is cut after this long. */
const END_GRACE_MS = 5_000

/** What happened to streams of any mode. */
export interface StreamStats {
  /** New streams for which there was no room. */
  refused: number
  /** Ended streams that took no more bytes, and were cut. */
  cut: number
}

/**
 * A response's socket, as the outlet of a stream. The body is delimited by the connection's close, so what is written
 * is the same for HTTP/1.0 and 1.1, and the engine's bytes go out as they are.
 */
export class StreamSocket implements StreamOutlet {
  readonly #socket: Socket
  readonly #stats: StreamStats
  readonly #faults: Faults
  #listener: OutletListener | undefined
  #gone = false
  /** In which its time is over. */
  slot = 0

  constructor(socket: Socket, stats: StreamStats, faults: Faults) {
    this.#socket = socket
    this.#stats = stats
    this.#faults = faults
  }

  /** Who is told when the socket has room again, and when it is gone. */
  attach(listener: OutletListener): void {
    this.#listener = listener
    if (this.#gone) listener.gone()
    this.#socket.uncork()
  }

  write(bytes: Buffer): boolean {
    return this.#socket.write(bytes)
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  end(bytes?: Buffer): void {
    if (bytes) this.#socket.write(bytes)
    this.#socket.end()
    const timer = setTimeout(() => {
      if (this.#socket.writableLength > 0) this.#stats.cut++
      this.#socket.destroy()
    }, END_GRACE_MS)
    this.#socket.once('close', () => clearTimeout(timer))
  }

  /** Ends as planned, behind a whole frame: its client is told to reconnect soon. */
  leave(reason: CloseReason): void {
    if (!this.#gone) this.#tell((listener) => listener.end(reason))
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

  /** What throws in a listener of a socket would end the process: it ends this stream. */
  #tell(act: (listener: OutletListener) => void): void {
    if (!this.#listener) return
    try {
      act(this.#listener)
    } catch (error) {
      this.#faults.tell('stream', error)
      this.#socket.destroy()
    }
  }
}
