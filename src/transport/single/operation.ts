import type { OpenStream } from '../../admission/open-stream.ts'
import type { StreamOwner } from '../../admission/stream-owner.ts'
import { lastBlocks, type ToldReason } from '../../delivery/group/ending.ts'
import type { ClientShare, CloseReason, Outlet, OutletListener } from '../../delivery/outlet.ts'
import { ERRORS, type ErrorCode } from '../../errors/codes.ts'
import { type Framing, frame, NO_CURSOR, NOTHING } from '../../protocol/framing.ts'
import { OperationFraming } from '../../protocol/single-connection.ts'
import type { SingleStream } from './stream.ts'

/** Replaces a result for which there was no room. */
const DROPPED = JSON.stringify({
  errors: [{ message: 'Too many results wait for this stream', extensions: { code: 'RESULT_TOO_LARGE' } }],
  data: null,
})

/** Tells of what was taken for the end of a client's interest, which may have been a broken connection. */
const { message } = ERRORS.OPERATION_ABANDONED
const ABANDONED = Buffer.from(
  JSON.stringify({ errors: [{ message, extensions: { code: 'OPERATION_ABANDONED' satisfies ErrorCode } }] }),
)

/** One operation of a stream that carries several: an outlet to the engine. */
export class SingleOperation implements Outlet, OpenStream {
  readonly transport = 'single'
  readonly id: string
  /** Who started it, and what it is. */
  readonly owner: StreamOwner
  /** Bytes of its final result, while that waits for room. */
  heldBytes = 0
  /** Bytes that were written for it, before compression. */
  bytesWritten = 0
  readonly openedAt = performance.now()
  /** Whether it has started a subscription. */
  hasStarted = false
  /** Why it ends, by whoever ends it first. */
  closeReason: CloseReason | undefined
  readonly #stream: SingleStream
  #listener: OutletListener | undefined
  #ended = false
  /** 1: the result of a query or a mutation was written. */
  #finished = 0

  /** Gives back its room: called once, by its stream. */
  readonly release: () => void

  constructor(stream: SingleStream, id: string, owner: StreamOwner, release: () => void) {
    this.#stream = stream
    this.id = id
    this.owner = owner
    this.release = release
  }

  get share(): ClientShare | undefined {
    return this.#stream.share
  }

  /** False: its client has stopped it, or the stream has ended. */
  get isRunning(): boolean {
    return !this.#ended
  }

  /** Results written. */
  get events(): number {
    return this.#finished + (this.#listener?.events ?? 0)
  }

  attach(listener: OutletListener): void {
    this.#listener = listener
    if (this.#ended) listener.gone()
  }

  write(bytes: Buffer): boolean {
    if (this.#ended) return true
    this.bytesWritten += bytes.length
    return this.#stream.write(this, bytes)
  }

  closing(reason: CloseReason): void {
    this.closeReason ??= reason
  }

  /**
   * Ends the operation with `complete`: the client must not repeat it. Without `complete`, the client has to reconnect.
   * The protocol cannot say that of one operation, so the whole stream ends.
   */
  end(bytes: Buffer = NOTHING, isComplete = false): void {
    if (this.#ended) return
    this.#stream.write(this, bytes)
    this.#leave()
    if (!isComplete) this.#stream.endSoon()
  }

  /** The socket is stalled, which all operations share. */
  destroy(): void {
    if (this.#leave()) this.#stream.destroy()
  }

  /**
   * Writes a final result and the end when there is room: it needs no source that is paused meanwhile. Where too many
   * results wait, an error replaces it.
   */
  finish(json: string, framing: Framing): void {
    if (this.#ended) return
    const bytesOf = (result: string) =>
      Buffer.concat([frame(framing.results, NO_CURSOR, Buffer.from(result)), framing.complete])
    const bytes = bytesOf(json)
    const share = this.#stream.hold(bytes.length)
    if (!share) {
      this.end(bytesOf(DROPPED), true)
      return
    }
    const end = () => {
      this.#finished = 1
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

  /** Ends the operation with `complete`, by itself: its client is told, and it is released. */
  complete(): void {
    if (this.#ended) return
    this.#stream.write(this, new OperationFraming(this.id, false).complete)
    this.drop('complete')
  }

  /** Ends the operation, since its client seems to have given up starting it. */
  abandon(): void {
    if (this.#ended) return
    const framing = new OperationFraming(this.id, false)
    this.#stream.write(this, Buffer.concat([frame(framing.results, NO_CURSOR, ABANDONED), framing.complete]))
    this.drop('client')
  }

  /** Ends the operation by a decision of admission, of which its client is told. */
  dismiss(reason: ToldReason): void {
    if (this.#ended) return
    this.#stream.write(this, lastBlocks(new OperationFraming(this.id, false), reason))
    this.drop(reason)
  }

  /** Releases the operation: nothing more is written for it. */
  drop(reason: CloseReason = 'client'): void {
    if (!this.#ended) this.closing(reason)
    if (this.#leave()) this.#listener?.end(reason)
  }

  #leave(): boolean {
    if (this.#ended) return false
    this.#ended = true
    this.#stream.left(this)
    return true
  }
}
