import { endOutlet } from '../../delivery/group/ending.ts'
import { type CloseReason, type Outlet, type OutletListener, WRITE_STALL_MS } from '../../delivery/outlet.ts'
import { MAX_RESULT_BYTES } from '../../delivery/render/result-size.ts'
import { SluiceError } from '../../errors/codes.ts'
import type { Faults } from '../../errors/faults.ts'
import { retryMs } from '../../errors/retry-hints.ts'
import { BY_ID, COMMENT_BLOCK, openingBlock } from '../../protocol/event-stream.ts'
import type { AnswerBudget, Share } from '../answer-budget.ts'
import { SingleOperation } from './operation.ts'
import type { OperationLoad } from './operation-load.ts'

/** A reservation lasts this long: less than `WRITE_STALL_MS`, since its operations wait as for a stuck socket. */
const RESERVATION_MS = 20_000
/** A page has tens. Each may hold one piece of at most 64 KiB, or one result, beyond what the socket takes. */
const MAX_OPERATIONS = 200
/** No more operations are begun while results of so many bytes wait that nothing but this stream keeps. */
const MAX_HELD_BYTES = 256 * 1024
/** Results that end while others wait: all of them that one stream holds. */
const MAX_RESULTS_BYTES = MAX_HELD_BYTES + MAX_RESULT_BYTES
/** Operations that go on at once when there is room: those that read the past write in a turn of their own. */
const WOKEN_AT_ONCE = 8

/** An outlet that can gather what it is given, and send it as one. */
export interface StreamOutlet extends Outlet {
  cork(): void
  uncork(): void
}

export interface SingleStreamOptions {
  readonly token: string
  /** The principal's id: nobody else opens it, adds to it or ends it. */
  readonly principal: string
  readonly heartbeatMs: number
  readonly answers: AnswerBudget
  readonly faults: Faults
  readonly load: OperationLoad
  /** Called once, when it is gone, or its reservation has expired. */
  readonly onGone: (stream: SingleStream) => void
}

/**
 * A stream that carries the results of several operations, from its reservation to its end. Until it is opened it is
 * full: its operations lag behind in their groups' logs, so that almost nothing waits here. From then on all share the
 * flow control of one socket: while that is full all are, and when it has room they go on in turn.
 */
export class SingleStream implements OutletListener {
  readonly token: string
  readonly principal: string
  readonly #options: SingleStreamOptions
  readonly #operations = new Map<string, SingleOperation>()
  /** Those that were told it is full, the longest waiting first. */
  readonly #waiting = new Set<SingleOperation>()
  /** What was written before it was opened. */
  #held: Buffer[] = []
  #heldBytes = 0
  #unsent: Share[] = []
  #outlet: StreamOutlet | undefined
  #full = true
  /** Since when, in milliseconds of the monotonic clock. */
  #fullSince = 0
  #corked = false
  #gone = false
  #timer: NodeJS.Timeout
  #wakening: NodeJS.Immediate | undefined

  constructor(options: SingleStreamOptions) {
    this.#options = options
    this.token = options.token
    this.principal = options.principal
    this.#timer = setTimeout(() => this.#contain(() => this.gone()), RESERVATION_MS)
  }

  get isOpen(): boolean {
    return this.#outlet !== undefined
  }

  /**
   * Begins an operation, which is to be run with the outlet that this returns.
   * @throws SluiceError `STREAM_NOT_FOUND`, `OPERATION_ID_IN_USE`, `TOO_MANY_OPERATIONS` or `TOO_MANY_STREAMS`.
   */
  begin(id: string): SingleOperation {
    if (this.#gone) throw new SluiceError('STREAM_NOT_FOUND')
    if (this.#operations.has(id)) throw new SluiceError('OPERATION_ID_IN_USE')
    if (this.#operations.size >= MAX_OPERATIONS) {
      throw new SluiceError('TOO_MANY_OPERATIONS', `A stream carries ${MAX_OPERATIONS} operations at most`)
    }
    if (this.#waitingBytes() >= MAX_HELD_BYTES) {
      throw new SluiceError('TOO_MANY_OPERATIONS', 'Too many results wait for this stream to take them')
    }
    this.#options.load.begin(this.isOpen)
    const operation = new SingleOperation(this, id)
    this.#operations.set(id, operation)
    return operation
  }

  /**
   * Counts a result that waits for this stream, until it has been written and taken.
   * @returns undefined, if so many wait that there is no room for it.
   */
  hold(bytes: number): Share | undefined {
    return this.#waitingBytes() + bytes > MAX_RESULTS_BYTES ? undefined : this.#options.answers.hold(bytes)
  }

  /** A result was written. Its share is given back when the socket has taken it. */
  written(share: Share): void {
    if (this.#full && !this.#gone) this.#unsent.push(share)
    else share.release()
  }

  /** Ends an operation, because its client wants no more of it. There may be none. */
  stop(id: string): void {
    this.#operations.get(id)?.drop()
  }

  left(operation: SingleOperation): void {
    if (this.#operations.delete(operation.id)) this.#options.load.left(this.isOpen)
    this.#waiting.delete(operation)
  }

  /** @throws SluiceError `STREAM_NOT_FOUND` or `STREAM_ALREADY_OPEN`, where `open` cannot be called. */
  demandUnopened(): void {
    if (this.#gone) throw new SluiceError('STREAM_NOT_FOUND')
    if (this.#outlet) throw new SluiceError('STREAM_ALREADY_OPEN')
  }

  /** Opens the stream, and gives it what has waited. */
  open(outlet: StreamOutlet): void {
    clearTimeout(this.#timer)
    this.#timer = setInterval(() => this.#contain(() => this.#beat()), this.#options.heartbeatMs)
    this.#outlet = outlet
    this.#options.load.opened(this.#operations.size)
    this.#full = false
    // The head of its stream has been sent, so that nothing else can be answered.
    this.#contain(() => {
      this.#write(openingBlock(retryMs(), undefined))
      for (const bytes of this.#held) this.#write(bytes)
      this.#held = []
      this.#heldBytes = 0
      outlet.attach(this)
      this.#wake()
    })
  }

  /** Takes bytes, always. False: the operation is to wait until it is told that there is room. */
  write(operation: SingleOperation, bytes: Buffer): boolean {
    if (bytes.length > 0 && !this.#gone) this.#write(bytes)
    if (this.#full) this.#waiting.add(operation)
    return !this.#full
  }

  drained(): void {
    this.#full = false
    this.#taken()
    // The socket takes what it is given: who still waits for a turn then does not wait for a dead one.
    for (const operation of this.#waiting) operation.progressed()
    this.#wake()
  }

  gone(): void {
    this.#close('client')
  }

  /** Ends the stream after what was written. */
  end(reason: CloseReason): void {
    if (this.#close(reason) && this.#outlet) endOutlet(this.#outlet, BY_ID, reason)
  }

  /** Ends it in this turn of the event loop, once, however many of its operations ask for it. */
  endSoon(): void {
    queueMicrotask(() => this.#contain(() => this.end('shutdown')))
  }

  /** Ends it at once, losing what was not sent. */
  destroy(): void {
    if (this.#close('stalled')) this.#outlet?.destroy()
  }

  #close(reason: CloseReason): boolean {
    if (this.#gone) return false
    this.#gone = true
    clearTimeout(this.#timer)
    clearImmediate(this.#wakening)
    for (const operation of this.#operations.values())
      this.#options.faults.contain('stream', () => operation.drop(reason))
    this.#held = []
    this.#taken()
    this.#options.onGone(this)
    return true
  }

  /** Lets those that wait go on, some at a time, until the socket is full again. */
  #wake(): void {
    clearImmediate(this.#wakening)
    this.#wakening = undefined
    const round = [...this.#waiting].slice(0, WOKEN_AT_ONCE)
    for (const operation of round) {
      if (this.#full || this.#gone) return
      this.#waiting.delete(operation)
      operation.drained()
    }
    if (!this.#full && this.#waiting.size > 0) this.#wakening = setImmediate(() => this.#contain(() => this.#wake()))
  }

  #write(bytes: Buffer): void {
    if (!this.#outlet) {
      this.#held.push(bytes)
      this.#heldBytes += bytes.length
      return
    }
    // What all operations write in one turn goes out as one.
    if (!this.#corked) {
      this.#corked = true
      this.#outlet.cork()
      process.nextTick(() => this.#contain(() => this.#uncork()))
    }
    if (this.#outlet.write(bytes) || this.#full) return
    this.#full = true
    this.#fullSince = performance.now()
  }

  #taken(): void {
    for (const share of this.#unsent.splice(0)) share.release()
  }

  #uncork(): void {
    this.#corked = false
    this.#outlet?.uncork()
  }

  /** What throws costs this stream alone. */
  #contain(act: () => void): void {
    const { faults } = this.#options
    try {
      act()
    } catch (error) {
      faults.tell('stream', error)
      faults.contain('stream', () => this.#close('failed'))
      faults.contain('stream', () => this.#outlet?.destroy())
    }
  }

  /** So that it does not look dead. One that is full has other bytes to wait for; for too long, and it is given up. */
  #beat(): void {
    if (!this.#full) this.#write(COMMENT_BLOCK)
    else if (this.#fullSince < performance.now() - WRITE_STALL_MS) this.destroy()
  }

  #waitingBytes(): number {
    let bytes = this.#heldBytes
    for (const operation of this.#waiting) bytes += operation.heldBytes
    return bytes
  }
}
