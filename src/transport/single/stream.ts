import type { StreamOwner } from '../../admission/stream-owner.ts'
import { endStream, isTold } from '../../delivery/group/ending.ts'
import { type ClientShare, type CloseReason, type OutletListener, WRITE_STALL_MS } from '../../delivery/outlet.ts'
import { MAX_RESULT_BYTES } from '../../delivery/render/result-size.ts'
import { SluiceError } from '../../errors/codes.ts'
import { retryMs } from '../../errors/retry-hints.ts'
import { COMMENT_BLOCK, openingBlock } from '../../protocol/event-stream.ts'
import type { Share } from '../answer-budget.ts'
import { ClientConnections } from '../given-up.ts'
import { SingleOperation } from './operation.ts'
import { RecentIds } from './recent-ids.ts'
import { Sessions } from './sessions.ts'
import type { SingleStreamOptions, StreamOutlet } from './stream-options.ts'

/** Lifetime of a reservation: less than `WRITE_STALL_MS`, since its operations see a full outlet. */
const RESERVATION_MS = 20_000
/**
 * Limit of operations: a page has tens. Each may hold one piece of at most 64 KiB, or one result, beyond the socket's
 * buffer.
 */
const MAX_OPERATIONS = 200
/** Limit before it is opened: what a page starts at once. A reservation costs its client no connection. */
const MAX_RESERVED_OPERATIONS = 50
/** Limit of waiting results that only this stream holds. Beyond it no more operations are started. */
const MAX_HELD_BYTES = 256 * 1024
/** Limit of all final results that wait on one stream. */
const MAX_RESULTS_BYTES = MAX_HELD_BYTES + MAX_RESULT_BYTES
/** Operations that continue at once after a drain: a replay writes in its own turn. */
const WOKEN_AT_ONCE = 8

/**
 * A stream that carries the results of several operations, from its reservation to its end. Until it is opened it is
 * full: its operations lag behind in their groups' frame logs, so that almost nothing is buffered here. Then all share
 * the flow control of one socket: all are full while it is, and continue in round robin when it drains.
 */
export class SingleStream implements OutletListener {
  readonly token: string
  readonly owner: StreamOwner
  /** The credentials by which it goes on. */
  readonly sessions: Sessions
  /** What it remembers of operations that do not run. */
  readonly recent: RecentIds
  readonly connections = new ClientConnections()
  readonly #options: SingleStreamOptions
  readonly #operations = new Map<string, SingleOperation>()
  /** Operations that wait for a drain, first in, first out. */
  readonly #waiting = new Set<SingleOperation>()
  /** Bytes written before it was opened. */
  #held: Buffer[] = []
  #heldBytes = 0
  /** Results of operations that have ended. */
  #endedEvents = 0
  #unsent: Share[] = []
  #outlet: StreamOutlet | undefined
  #full = true
  /** Since when it is full, in milliseconds of the monotonic clock. */
  #fullSince = 0
  #corked = false
  #gone = false
  #timer: NodeJS.Timeout
  #wakening: NodeJS.Immediate | undefined

  constructor(options: SingleStreamOptions) {
    this.#options = options
    this.token = options.token
    this.owner = options.owner
    this.sessions = new Sessions(options.owner.identity)
    this.recent = new RecentIds(options.load.recent)
    this.#timer = setTimeout(() => this.#contain(() => this.gone()), RESERVATION_MS)
  }

  /** Results written for its operations, and for those that have ended. */
  get events(): number {
    let events = this.#endedEvents
    for (const operation of this.#operations.values()) events += operation.events
    return events
  }

  /** Its client's, once it is open: before, it is full, and nothing is replayed on it. */
  get share(): ClientShare | undefined {
    return this.#outlet?.share
  }

  get operations(): Iterable<SingleOperation> {
    return this.#operations.values()
  }

  /** Undefined: it is reserved, and not open yet. */
  get outlet(): StreamOutlet | undefined {
    return this.#outlet
  }

  get isOpen(): boolean {
    return this.#outlet !== undefined
  }

  hasOperation(id: string): boolean {
    return this.#operations.has(id)
  }

  /**
   * Registers an operation, to be run with the returned outlet.
   * @throws SluiceError `STREAM_NOT_FOUND`, `OPERATION_ID_IN_USE`, `TOO_MANY_OPERATIONS`, `TOO_MANY_STREAMS` or
   * `RATE_LIMITED`.
   */
  begin(id: string, owner: StreamOwner): SingleOperation {
    if (this.#gone) throw new SluiceError('STREAM_NOT_FOUND')
    if (this.#operations.has(id)) throw new SluiceError('OPERATION_ID_IN_USE')
    const max = this.isOpen ? MAX_OPERATIONS : MAX_RESERVED_OPERATIONS
    if (this.#operations.size >= max) {
      const before = this.isOpen ? '' : ' before it is opened'
      throw new SluiceError('TOO_MANY_OPERATIONS', `A stream carries ${max} operations at most${before}`)
    }
    if (this.#waitingBytes() >= MAX_HELD_BYTES) {
      throw new SluiceError('TOO_MANY_OPERATIONS', 'Too many results wait for this stream to take them')
    }
    this.sessions.demandRoom(owner.identity)
    const release = this.#options.load.begin(this.isOpen, this.#options.takeOperation ?? (() => () => {}))
    this.sessions.begin(owner.identity)
    const operation = new SingleOperation(this, id, owner, release)
    this.#operations.set(id, operation)
    return operation
  }

  /**
   * Accounts for a waiting result, until it has been written and drained.
   * @returns undefined, if there is no room for it.
   */
  hold(bytes: number): Share | undefined {
    return this.#waitingBytes() + bytes > MAX_RESULTS_BYTES ? undefined : this.#options.answers.hold(bytes)
  }

  /** A result was written. Its share is released when the socket has drained. */
  written(share: Share): void {
    if (this.#full && !this.#gone) this.#unsent.push(share)
    else share.release()
  }

  /** Stops an operation on its client's request: one that runs, or is on its way. */
  stop(id: string): void {
    this.#operations.get(id)?.drop()
    this.recent.stopped(id)
  }

  left(operation: SingleOperation): void {
    if (this.#operations.delete(operation.id)) {
      this.recent.ended(operation.id)
      this.#options.load.left(this.isOpen)
      operation.release()
      this.#endedEvents += operation.events
      this.#options.onEnded?.(operation)
    }
    this.#waiting.delete(operation)
  }

  /** @throws SluiceError `STREAM_NOT_FOUND` or `STREAM_ALREADY_OPEN`, where `open` cannot be called. */
  demandUnopened(): void {
    if (this.#gone) throw new SluiceError('STREAM_NOT_FOUND')
    if (this.#outlet) throw new SluiceError('STREAM_ALREADY_OPEN')
  }

  /** Opens the stream, and writes what is buffered. */
  open(outlet: StreamOutlet): void {
    clearTimeout(this.#timer)
    this.#timer = setInterval(() => this.#contain(() => this.#beat()), this.#options.heartbeatMs)
    this.#outlet = outlet
    this.#options.onOpen?.()
    this.#options.load.opened(this.#operations.size)
    this.#full = false
    // The response head has been sent, so that no error response is possible.
    this.#contain(() => {
      this.#write(openingBlock(retryMs(), undefined))
      for (const bytes of this.#held) this.#write(bytes)
      this.#held = []
      this.#heldBytes = 0
      outlet.attach(this)
      this.#wake()
    })
  }

  /** Accepts the bytes in any case. False: the operation has to wait for a drain. */
  write(operation: SingleOperation, bytes: Buffer): boolean {
    if (bytes.length > 0 && !this.#gone) this.#write(bytes)
    if (this.#full) this.#waiting.add(operation)
    return !this.#full
  }

  drained(): void {
    this.#full = false
    this.#taken()
    // The socket makes progress: operations that wait for their turn are not stalled.
    for (const operation of this.#waiting) operation.progressed()
    this.#wake()
  }

  gone(): void {
    this.#close('client')
  }

  /** Ends the stream after the written bytes. */
  end(reason: CloseReason): void {
    // Before the stream is closed: each operation is told by a result of its own.
    if (isTold(reason)) for (const each of this.operations) this.#contain(() => each.dismiss(reason))
    if (this.#close(reason) && this.#outlet) endStream(this.#outlet, reason)
  }

  /** Ends it in this turn of the event loop, once, whichever operations request it. */
  endSoon(): void {
    queueMicrotask(() => this.#contain(() => this.end('shutdown')))
  }

  /** Closes it at once. Unsent bytes are lost. */
  destroy(): void {
    if (!this.#close('stalled')) return
    this.#outlet?.closing?.('stalled')
    this.#outlet?.destroy()
  }

  #close(reason: CloseReason): boolean {
    if (this.#gone) return false
    this.#gone = true
    clearTimeout(this.#timer)
    clearImmediate(this.#wakening)
    for (const operation of this.#operations.values())
      this.#options.faults.contain('stream', () => operation.drop(reason))
    this.recent.close()
    this.#held = []
    this.#taken()
    this.#options.onGone(this)
    return true
  }

  /** Resumes waiting operations, some at a time, until the socket is full again. */
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
    // Coalesces the writes of all operations in one turn.
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

  /** Containment: an exception ends this stream only. */
  #contain(act: () => void): void {
    const { faults } = this.#options
    try {
      act()
    } catch (error) {
      faults.tell('stream', error)
      faults.contain('stream', () => this.#close('failed'))
      faults.contain('stream', () => this.#outlet?.closing?.('failed'))
      faults.contain('stream', () => this.#outlet?.destroy())
    }
  }

  /** Heartbeat. A full stream has other bytes pending: it is subject to the write stall timeout. */
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
