import type { CloseReason, Outlet, OutletListener } from '../delivery/outlet.ts'
import { NOTHING } from '../protocol/framing.ts'
import type { SingleStream } from './single-stream.ts'

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

  /** Gives these last blocks when there is room for them: what needs no source to wait for it. */
  finish(bytes: Buffer): void {
    if (this.write(NOTHING)) {
      this.end(bytes, true)
      return
    }
    this.heldBytes = bytes.length
    this.attach({ drained: () => this.end(bytes, true), gone: () => {}, end: () => {} })
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
