import type { Feed } from '../streams/feed.ts'
import type { Engine } from './engine.ts'
import { Execution } from './execution.ts'
import { frameOf, positionBlock } from './frame.ts'
import { type FrameHolder, FrameLog } from './frame-log.ts'
import type { BoundStream, Operation } from './operation.ts'
import type { Renderer } from './renderer.ts'
import { type CloseReason, type Outlet, Subscriber } from './subscriber.ts'

/** A lagging member reads on in pieces of this size, for the sake of few writes, */
const MAX_PIECE_BYTES = 64 * 1024
/** but smaller ones where many lag, since each may hold a piece for as long as its client takes nothing: */
const ALL_PIECES_BYTES = 64 * 1024 * 1024
/** about three frames, if ten thousand do. */
const MIN_PIECE_BYTES = 1024

/** Clients that ask the same thing: one execution, one serialization and one frame for each event that matches. */
export class Group implements FrameHolder {
  readonly key: string | undefined
  readonly log: FrameLog
  readonly renderer: Renderer
  readonly #engine: Engine
  readonly #execution: Execution
  /** At the head: they get what a flush writes. */
  readonly #live = new Set<Subscriber>()
  /** Waiting for their outlets, each at its own position in the log. */
  readonly #lagging = new Set<Subscriber>()
  /** Number of the first frame that was not written to the live members. */
  #flushed = 0
  /** Number of the next frame at each of the last sweeps, the oldest first. */
  readonly #marks: number[] = []
  /** Since when it has no members, in milliseconds of the monotonic clock; 0: it has. */
  emptySince = 0
  #heartbeat: { readonly cursor: string; readonly block: Buffer } | undefined

  constructor(engine: Engine, feed: Feed, operation: Operation, stream: BoundStream, renderer: Renderer) {
    this.key = operation.key
    this.renderer = renderer
    this.#engine = engine
    this.log = new FrameLog(engine.budget, this)
    this.#execution = new Execution(feed, stream, renderer, (body, cursor) => {
      this.log.append(frameOf(engine.idLine(cursor), body))
      engine.appended(this)
    })
  }

  get size(): number {
    return this.#live.size + this.#lagging.size
  }

  /** Number of the oldest frame in the log. */
  get first(): number {
    return this.log.first
  }

  get lagging(): ReadonlySet<Subscriber> {
    return this.#lagging
  }

  /**
   * Adds a member at the head: what was there before is not its business. Its first block names the position, which
   * `open` makes into bytes.
   */
  join(outlet: Outlet, open: (cursor: string) => Buffer): Subscriber {
    if (this.emptySince !== 0) {
      this.emptySince = 0
      this.#execution.resume()
    }
    this.flush()
    const member = new Subscriber(this, outlet)
    this.#live.add(member)
    this.#write(member, open(this.#execution.cursor), this.#flushed)
    return member
  }

  leave(member: Subscriber, reason: CloseReason): void {
    this.#live.delete(member)
    if (this.#lagging.delete(member)) this.#engine.lagging--
    this.#engine.left(member, reason)
    this.endIfEmpty()
  }

  /**
   * A group is there for its members. One that has frames lingers for those that come back for them; it executes
   * nothing meanwhile, and then reads on from the window.
   */
  endIfEmpty(): void {
    if (this.size > 0) return
    if (this.log.first === this.log.next) {
      this.end()
      return
    }
    this.emptySince = performance.now()
    this.#execution.suspend()
    this.#engine.lingers(this)
  }

  end(): void {
    this.#execution.end()
    this.log.dropBefore(this.log.next)
    this.#engine.ended(this)
  }

  /** Writes what is new to every live member: the same bytes, in one write each. */
  flush(): void {
    if (this.#flushed === this.log.next) return
    const from = this.#flushed
    this.#flushed = this.log.next
    if (this.#live.size === 0) return
    const { bytes } = this.log.read(from, this.#flushed, Number.POSITIVE_INFINITY)
    this.#engine.stats.deliveries += (this.#flushed - from) * this.#live.size
    for (const member of this.#live) this.#write(member, bytes, this.#flushed)
  }

  /** A member's outlet has room again. */
  readOn(member: Subscriber): void {
    if (this.#lagging.delete(member)) this.#engine.lagging--
    this.#live.add(member)
    member.fullSince = 0
    const pieceBytes = Math.max(
      MIN_PIECE_BYTES,
      Math.min(MAX_PIECE_BYTES, ALL_PIECES_BYTES / (this.#engine.lagging + 1)),
    )
    while (!member.lagging && !member.closed && member.position < this.#flushed) {
      if (member.position < this.log.first) {
        member.cut('fell_behind')
        return
      }
      // Only what the live members have: the rest comes to it with them, in the next flush.
      const { bytes, next } = this.log.read(member.position, this.#flushed, pieceBytes)
      this.#engine.stats.deliveries += next - member.position
      this.#write(member, bytes, next)
    }
  }

  /** Says where a member is, so that a quiet stream does not look dead. One that lags has other bytes to wait for. */
  heartbeat(member: Subscriber): void {
    if (member.lagging) return
    this.flush()
    const { cursor } = this.#execution
    if (this.#heartbeat?.cursor !== cursor) this.#heartbeat = { cursor, block: positionBlock(cursor) }
    if (!member.lagging && !member.closed) this.#write(member, this.#heartbeat.block, this.#flushed)
  }

  /**
   * Called once a second. Lets go of frames that are older than `seconds`, but for those that a member is still to read:
   * who comes back later than that reads them from the window.
   */
  sweep(seconds: number): void {
    this.#marks.push(this.log.next)
    if (this.#marks.length <= seconds) return
    let oldest = Math.min(this.#marks.shift() as number, this.#flushed)
    for (const { position } of this.#lagging) if (position < oldest) oldest = position
    this.log.dropBefore(oldest)
  }

  /** Members that were still to read the oldest frame have fallen behind; those at the head get it first. */
  dropOldest(): void {
    if (this.#flushed === this.log.first) this.flush()
    this.log.dropBefore(this.log.first + 1)
  }

  #write(member: Subscriber, bytes: Buffer, next: number): void {
    this.#engine.stats.writes++
    this.#engine.stats.bytes += bytes.length
    member.position = next
    if (member.outlet.write(bytes) || member.closed) return
    member.fullSince = performance.now()
    this.#live.delete(member)
    this.#lagging.add(member)
    this.#engine.lagging++
  }
}
