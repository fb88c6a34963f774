import { bodyOf, COMPLETE_BLOCK } from '../delivery/frame.ts'
import type { CloseReason, Member, Outlet } from '../delivery/subscriber.ts'
import { Envelope } from './single-frame.ts'
import type { SingleStream } from './single-stream.ts'

const NOTHING = Buffer.alloc(0)
/** In place of a result for which there was no room. */
const DROPPED = Buffer.concat([
  bodyOf(
    JSON.stringify({
      errors: [{ message: 'Too many results wait for this stream', extensions: { code: 'RESULT_TOO_LARGE' } }],
      data: null,
    }),
  ),
  COMPLETE_BLOCK,
])

/** One operation of a stream that carries several: an outlet like any other, as far as the engine knows. */
export class SingleOperation implements Outlet {
  readonly id: string
  /** Its one result waits for room: of so many bytes. */
  heldBytes = 0
  readonly #stream: SingleStream
  readonly #envelope: Envelope
  #member: Member | undefined
  #ended = false

  constructor(stream: SingleStream, id: string) {
    this.#stream = stream
    this.id = id
    this.#envelope = new Envelope(id)
  }

  /** False: its client has stopped it, or the stream is gone. */
  get isRunning(): boolean {
    return !this.#ended
  }

  attach(member: Member): void {
    this.#member = member
    if (this.#ended) member.gone()
  }

  write(blocks: Buffer): boolean {
    return this.#ended || this.#stream.write(this, this.#envelope.wrap(blocks).bytes)
  }

  /**
   * Only `complete` tells a client that this operation has ended, and not to come back for it. Where there is none, its
   * client is to come back; it cannot be told so of one operation, so the stream ends.
   */
  end(blocks: Buffer = NOTHING): void {
    if (this.#ended) return
    const { bytes, complete } = this.#envelope.wrap(blocks)
    this.#stream.write(this, bytes)
    this.#leave()
    if (!complete) this.#stream.endSoon()
  }

  /** Its socket is stuck, which is that of all the others too. */
  destroy(): void {
    if (this.#leave()) this.#stream.destroy()
  }

  /**
   * Gives these last blocks when there is room for them: what needs no source to wait for it. Where too many wait, these
   * say that the result has been dropped.
   */
  finish(blocks: Buffer): void {
    if (this.#ended) return
    const share = this.#stream.hold(blocks.length)
    if (!share) {
      this.end(DROPPED)
      return
    }
    const end = () => {
      this.end(blocks)
      this.#stream.written(share)
    }
    if (this.write(NOTHING)) {
      end()
      return
    }
    this.heldBytes = blocks.length
    this.attach({ drained: end, gone: () => {}, end: () => share.release() })
  }

  drained(): void {
    this.#member?.drained()
  }

  progressed(): void {
    this.#member?.progressed?.()
  }

  /** Lets it go: nothing more can or should be said of it. */
  drop(reason: CloseReason = 'client'): void {
    if (this.#leave()) this.#member?.end(reason)
  }

  #leave(): boolean {
    if (this.#ended) return false
    this.#ended = true
    this.#stream.left(this)
    return true
  }
}
