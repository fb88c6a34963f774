import { gapError } from '../schema/stream-field.ts'
import { decodeCursor } from '../streams/cursor.ts'
import type { Gap } from '../streams/event.ts'
import type { Feed } from '../streams/feed.ts'
import { Position } from '../streams/position.ts'
import type { Restarts } from '../streams/window.ts'
import { PIECE_BYTES } from './chunk.ts'
import type { Engine } from './engine.ts'
import type { EngineStats } from './engine-stats.ts'
import { Execution, type Settled } from './execution.ts'
import { BY_ID, COMMENT_BLOCK, caughtUpBlock, cursorOf, type FrameStyle, positionBlock } from './frame.ts'
import { type FrameHolder, FrameLog } from './frame-log.ts'
import { History } from './history.ts'
import type { BoundStream } from './operation.ts'
import type { Renderer } from './renderer.ts'
import { Replay } from './replay.ts'
import type { Seats } from './seats.ts'
import { type CloseReason, type Outlet, Subscriber, WRITE_STALL_MS } from './subscriber.ts'
import type { Turns } from './turns.ts'

/** A lagging member reads on in pieces, for the sake of few writes, but smaller ones where many lag, */
const ALL_PIECES_BYTES = 64 * 1024 * 1024
/** since each may hold one for as long as its client takes nothing: about three frames, if ten thousand do. */
const MIN_PIECE_BYTES = 1024

export interface GroupOptions {
  readonly engine: Engine
  readonly feed: Feed
  readonly stream: BoundStream
  readonly renderer: Renderer
  readonly style: FrameStyle
  /** Names what is asked for; undefined: shared with nobody. */
  readonly key: string | undefined
}

export interface JoinOptions {
  /** Where to begin; at what the group has passed, if absent. */
  readonly position?: Position | undefined
  /** Say where the past ends, and what comes is new. */
  readonly hasMarker: boolean
}

let nextPrivateKey = 0

/** Clients that ask the same thing: one execution, one serialization and one frame for each event that matches. */
export class Group implements FrameHolder {
  readonly key: string | undefined
  readonly feed: Feed
  readonly log: FrameLog
  readonly renderer: Renderer
  readonly style: FrameStyle
  readonly history: History
  readonly #engine: Engine
  readonly #execution: Execution
  /** At the head: they get what a flush writes. */
  readonly #live = new Set<Subscriber>()
  /** Waiting for their outlets, each at its own position in the log; with what had been replaced when they began to. */
  readonly #lagging = new Map<Subscriber, Restarts>()
  /** On their way to the head through what is older than the log, */
  readonly #replaying = new Set<Subscriber>()
  /** and those of them that have seen more than the group has. */
  readonly #ahead = new Set<Replay>()
  /** Frames whose position is of a log that had been replaced when they were made: their event took its time. */
  readonly #ofOldLogs = new WeakMap<Buffer, Restarts>()
  /** Number of the first frame that was not written to the live members. */
  #flushed = 0
  /** Number of the next frame at each of the last sweeps, the oldest first. */
  readonly #marks: number[] = []
  /** Since when it has no members, in milliseconds of the monotonic clock; 0: it has. */
  emptySince = 0
  #ended = false
  #heartbeat: { readonly cursor: string; readonly block: Buffer } | undefined

  constructor({ engine, feed, stream, renderer, style, key }: GroupOptions) {
    this.key = key
    this.feed = feed
    this.renderer = renderer
    this.style = style
    this.#engine = engine
    this.#execution = new Execution(
      feed,
      stream,
      renderer,
      (body, cursor, seq, restarts) => {
        const frame = style.frameOf(cursor, body)
        if (restarts !== feed.window.restarts) this.#ofOldLogs.set(frame, restarts)
        this.log.append(frame, seq)
        engine.appended(this)
      },
      (error, at) => this.fail(error, at),
    )
    this.log = new FrameLog(engine.budget, this, feed.window.nextSeq)
    const { history: cache } = engine
    const historyKey = key ?? `private ${nextPrivateKey++}`
    this.history = new History({ cache, key: historyKey, feed, execution: this.#execution, log: this.log, style })
  }

  get size(): number {
    return this.#live.size + this.#lagging.size + this.#replaying.size
  }

  /** Members on their way to the head. */
  get replaying(): number {
    return this.#replaying.size
  }

  /** Number of the oldest frame in the log. */
  get first(): number {
    return this.log.first
  }

  /** Where those at the head are, once everything has been flushed. */
  get settled(): Settled {
    return this.#execution.settled
  }

  get stats(): EngineStats {
    return this.#engine.stats
  }

  get replays(): Turns<Replay> {
    return this.#engine.replays
  }

  get logSeats(): Seats<Replay> {
    return this.#engine.logSeatsOf(this.feed)
  }

  get maxReplayRate(): number {
    return this.#engine.maxReplayRate
  }

  /** There is nothing to come from it any more. */
  get ended(): boolean {
    return this.#ended
  }

  /** One client's stream cannot go on. */
  clientFailed(member: Subscriber, error: unknown): void {
    this.#engine.faults.tell(member.replay ? 'replay' : 'client', error, { topic: this.feed.topic.name })
    member.fail()
  }

  /** What a member whose bytes are its own may be given at once. */
  get pieceBytes(): number {
    return Math.max(MIN_PIECE_BYTES, Math.min(PIECE_BYTES, ALL_PIECES_BYTES / (this.#engine.lagging + 1)))
  }

  /** Members that wait for their outlets. */
  *#stuck(): Iterable<Subscriber> {
    yield* this.#lagging.keys()
    for (const member of this.#replaying) if (member.lagging) yield member
  }

  /** Where the newest `count` events begin that the group asks for. */
  startLast(count: number): Position {
    return this.feed.startLast(count, (event) => this.#execution.wants(event))
  }

  /**
   * Adds a member. Its first block names its position, which `open` makes into bytes.
   * @throws what went wrong; the outlet has been ended by then.
   */
  join(outlet: Outlet, open: (cursor: string) => Buffer, { position, hasMarker }: JoinOptions): Subscriber {
    const member = new Subscriber(this, outlet)
    try {
      this.#begin(member, open, { position, hasMarker })
      return member
    } catch (error) {
      member.fail()
      throw error
    }
  }

  #begin(member: Subscriber, open: (cursor: string) => Buffer, { position, hasMarker }: JoinOptions): void {
    if (this.emptySince !== 0) {
      this.emptySince = 0
      this.#execution.resume()
    }
    if (!position) this.flush()
    if (this.#ended) throw new Error('The group has failed')
    if (position) {
      member.replay = new Replay(member, position, hasMarker)
      this.#replaying.add(member)
      this.#engine.sweepLater(this)
      this.#write(member, open(position.cursor), 0)
      this.replays.add(member.replay)
      return
    }
    this.#live.add(member)
    const { cursor } = this.#execution
    this.#write(member, open(cursor), this.#flushed, cursor)
    if (hasMarker) this.#write(member, caughtUpBlock(cursor), this.#flushed, cursor)
  }

  /** A member that was replaying has read all there is. */
  arrive(member: Subscriber, hasMarker: boolean): void {
    this.flush()
    if (member.closed) return
    this.#replaying.delete(member)
    if (member.replay) this.#ahead.delete(member.replay)
    member.replay = undefined
    this.#live.add(member)
    member.position = this.#flushed
    const { cursor } = this.#execution
    if (hasMarker) this.#write(member, caughtUpBlock(cursor), this.#flushed, cursor)
  }

  /** A replay has read all there is, and has seen what is still to come: it goes on with the group. */
  follow(replay: Replay): void {
    this.#ahead.add(replay)
  }

  leave(member: Subscriber, reason: CloseReason): void {
    this.#live.delete(member)
    this.#lagging.delete(member)
    this.#replaying.delete(member)
    if (member.replay) {
      this.#ahead.delete(member.replay)
      member.replay.end()
    }
    if (member.lagging) this.#engine.lagging--
    this.#engine.left(member, reason)
    this.endIfEmpty()
  }

  /**
   * A group is there for its members. One that has frames lingers for those that come back for them; it executes
   * nothing meanwhile, and then reads on from the window.
   */
  endIfEmpty(): void {
    if (this.size > 0 || this.#ended) return
    if (this.log.first === this.log.next) {
      this.end()
      return
    }
    this.emptySince = performance.now()
    this.#execution.suspend()
    this.#engine.lingers(this)
  }

  /**
   * It cannot go on: its members' streams end without `complete`, so that they come back with their cursors, to another
   * group of their operation. Never throws.
   */
  fail(error: unknown, at: object = {}): void {
    if (this.#ended) return
    this.#engine.failed(this, error, at)
    const { faults } = this.#engine
    faults.contain('flush', () => this.end())
    for (const member of [...this.#live, ...this.#lagging.keys(), ...this.#replaying])
      faults.contain('client', () => member.fail())
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#engine.ended(this)
    this.#execution.end()
    this.log.dropBefore(this.log.next)
  }

  /** Writes what is new to every live member: the same bytes, in one write each. */
  flush(): void {
    if (this.#flushed === this.log.next || this.#ended) return
    try {
      this.#flush()
    } catch (error) {
      this.fail(error)
    }
  }

  #flush(): void {
    const from = this.#flushed
    this.#flushed = this.log.next
    this.#wakeAhead()
    if (this.#live.size === 0) return
    const { bytes } = this.log.read(from, this.#flushed, Number.POSITIVE_INFINITY)
    this.stats.deliveries += (this.#flushed - from) * this.#live.size
    for (const member of this.#live) this.#write(member, bytes, this.#flushed)
  }

  /** A member's outlet has room again. */
  readOn(member: Subscriber): void {
    member.fullSince = 0
    this.#engine.lagging--
    if (member.replay) {
      this.replays.add(member.replay)
      return
    }
    const restarts = this.#lagging.get(member)
    this.#lagging.delete(member)
    this.#live.add(member)
    const { pieceBytes } = this
    while (!member.lagging && !member.closed && member.position < this.#flushed) {
      if (member.position < this.log.first) {
        this.#fallOff(member, restarts)
        return
      }
      // Only what the live members have: the rest comes to it with them, in the next flush.
      const { bytes, next } = this.log.read(member.position, this.#flushed, pieceBytes)
      this.stats.deliveries += next - member.position
      this.#write(member, bytes, next)
    }
  }

  /** Says where a member is, so that a quiet stream does not look dead. One that lags has other bytes to wait for. */
  heartbeat(member: Subscriber): void {
    if (member.lagging) return
    if (member.replay) {
      const { cursor } = member.replay
      this.#write(member, cursor === undefined ? COMMENT_BLOCK : this.#beat(member, cursor), 0)
      return
    }
    this.flush()
    const { cursor } = this.#execution
    if (!member.lagging && !member.closed) this.#write(member, this.#beat(member, cursor), this.#flushed, cursor)
  }

  /**
   * Called once a second while there is something to do. Ends streams that are stuck, and lets go of frames that are
   * older than `seconds`, but for those that a member is still to read: who comes back later than that reads them from the
   * window. False: nothing is left to do, before something happens.
   */
  sweep(now: number, seconds: number): boolean {
    for (const member of this.#stuck()) if (member.fullSince < now - WRITE_STALL_MS) member.cut('stalled')
    for (const replay of this.#ahead) replay.check(now)
    this.#wakeAhead()
    if (this.log.first === this.log.next) {
      this.#marks.length = 0
      return this.#lagging.size > 0 || this.#replaying.size > 0
    }
    this.#marks.push(this.log.next)
    if (this.#marks.length <= seconds) return true
    let oldest = Math.min(this.#marks.shift() as number, this.#flushed)
    for (const { position } of this.#lagging.keys()) if (position < oldest) oldest = position
    this.log.dropBefore(oldest)
    return true
  }

  /** Members that were still to read the oldest frame have fallen behind; those at the head get it first. */
  dropOldest(): void {
    if (this.#flushed === this.log.first) this.flush()
    this.log.dropBefore(this.log.first + 1)
  }

  /** Tells a member what is gone, and where its stream goes on. */
  writeGaps(member: Subscriber, gaps: readonly Gap[], cursor: string): void {
    this.stats.gaps += gaps.length
    this.#write(member, this.style.frameOf(cursor, this.renderer.renderError(gapError(gaps))), 0)
  }

  writeReplayed(member: Subscriber, bytes: Buffer, frames: number): void {
    this.stats.deliveries += frames
    this.#write(member, bytes, 0)
  }

  /** What a member wants is not in the log any more: it is read again, in place. */
  #fallOff(member: Subscriber, restarts: Restarts | undefined): void {
    this.stats.replays.fellBehind++
    const position = Position.after(this.feed, decodeCursor(this.feed.topic.name, member.cursor), restarts)
    this.#live.delete(member)
    this.#replaying.add(member)
    member.replay = new Replay(member, position, false)
    this.replays.add(member.replay)
  }

  #wakeAhead(): void {
    for (const replay of this.#ahead) this.replays.add(replay)
    this.#ahead.clear()
  }

  #beat(member: Subscriber, cursor: string): Buffer {
    if (this.style !== BY_ID && member.told !== cursor) {
      member.told = cursor
      return this.style.movedTo(cursor)
    }
    if (this.#heartbeat?.cursor !== cursor) this.#heartbeat = { cursor, block: positionBlock(cursor) }
    return this.#heartbeat.block
  }

  /** `cursor`: the position that the bytes tell, where that is not the last frame's. */
  #write(member: Subscriber, bytes: Buffer, next: number, cursor?: string): void {
    this.stats.writes++
    this.stats.bytes += bytes.length
    member.position = next
    let hasRoom: boolean
    try {
      hasRoom = member.outlet.write(bytes)
    } catch (error) {
      this.clientFailed(member, error)
      return
    }
    if (hasRoom || member.closed || member.lagging) return
    member.fullSince = performance.now()
    this.#engine.lagging++
    this.#engine.sweepLater(this)
    if (member.replay) return
    this.#live.delete(member)
    // Where it goes on, should the log have let go of that by then.
    const last = this.log.at(next - 1)
    this.#lagging.set(member, (last && this.#ofOldLogs.get(last)) ?? this.feed.window.restarts)
    member.cursor = cursor ?? (last ? cursorOf(last) : this.#execution.cursor)
  }
}
