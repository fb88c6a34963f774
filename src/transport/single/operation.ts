import type { CloseReason, Outlet, OutletListener } from '../../delivery/outlet.ts'
import { type Framing, frame, NO_CURSOR, NOTHING } from '../../protocol/framing.ts'
import type { SingleStream } from './stream.ts'

/** In place of a result for which there was no room. */
const DROPPED = JSON.stringify({
  errors: [{ message: 'Too many results wait for this stream', extensions: { code: 'RESULT_TOO_LARGE' } }],
  data: null,
})

/** One operation of a stream that carries several: an outlet like any other, as far as the engine knows. */
export class SingleOperation implements Outlet {
  readonly id: string
  /** Its one result waits for room: of so many bytes. */
  heldBytes = 0
  readonly #stream: SingleStream
  #listener: OutletListener | undefined
  #ended = false

  constructor(stream: SingleStream, id: string) {
    this.#stream = stream
    this.id = id
  }

  /** False: its client has stopped it, or the stream is gone. */
  get isRunning(): boolean {
    return !this.#ended
  }

  attach(listener: OutletListener): void {
    this.#listener = listener
    if (this.#ended) listener.gone()
  }

  write(bytes: Buffer): boolean {
    return this.#ended || this.#stream.write(this, bytes)
  }

  /**
   * Only `complete` tells a client that this operation has ended, and not to come back for it. Where there is none, its
   * client is to come back; it cannot be told so of one operation, so the stream ends.
   */
  end(bytes: Buffer = NOTHING, isComplete = false): void {
    if (this.#ended) return
    this.#stream.write(this, bytes)
    this.#leave()
    if (!isComplete) this.#stream.endSoon()
  }

  /** Its socket is stuck, which is that of all the others too. */
  destroy(): void {
    if (this.#leave()) this.#stream.destroy()
  }

  /**
   * Gives a result and the end when there is room for them: what needs no source to wait for it. Where too many wait, the
   * result says that it has been dropped.
   */
  finish(json: string, framing: Framing): void {
    if (this.#ended) return
    const bytesOf = (result: string) =>
      Buffer.concat([frame(framing, NO_CURSOR, Buffer.from(result)), framing.complete])
    const bytes = bytesOf(json)
    const share = this.#stream.hold(bytes.length)
    if (!share) {
      this.end(bytesOf(DROPPED), true)
      return
    }
    const end = () => {
      this.end(bytes, true)
      this.#stream.written(share)
    }
    if (this.write(NOTHING)) {
      end()
      return
    }
    this.heldBytes = bytes.length
    this.attach({ drained: end, gone: () => {}, end: () => share.release() })
  }

  drained(): void {
    this.#listener?.drained()
  }

  progressed(): void {
    this.#listener?.progressed?.()
  }

  /** Lets it go: nothing more can or should be said of it. */
  drop(reason: CloseReason = 'client'): void {
    if (this.#leave()) this.#listener?.end(reason)
  }

  #leave(): boolean {
    if (this.#ended) return false
    this.#ended = true
    this.#stream.left(this)
    return true
  }
}
