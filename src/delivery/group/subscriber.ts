import { retryMs } from '../../errors/retry-hints.ts'
import { type Framing, frame } from '../../protocol/framing.ts'
import { decodeCursor } from '../../streams/cursor/cursor.ts'
import type { Gap } from '../../streams/event.ts'
import { Position } from '../../streams/feed/position.ts'
import type { Restarts } from '../../streams/feed/window.ts'
import { cursorBytes, type FrameLog } from '../frames/frame-log.ts'
import type { CloseReason, Outlet, OutletListener } from '../outlet.ts'
import { Replay } from '../replay/replay.ts'
import type { ReplayGroup, ReplayHost } from '../replay/replay-host.ts'
import type { Worker } from '../replay/round-robin.ts'
import { endOutlet } from './ending.ts'
import { CLOSED, fullSinceOf, LIVE, type MemberState, replayOf } from './member-state.ts'

/** What a member knows of its group. */
export interface MemberGroup extends ReplayGroup {
  readonly log: FrameLog
  /** Number of the first frame that was not written to the live members. */
  readonly flushed: number
  flush(): void
  /** The result that tells gaps. */
  gapJson(gaps: readonly Gap[]): Buffer
  /** A member's state has changed. */
  changed(from: MemberState, to: MemberState): void
  left(member: Subscriber, reason: CloseReason): void
}

/** Where a member begins. */
export interface Beginning {
  /** Undefined: at what the group has passed. */
  readonly position: Position | undefined
  /** What the client came with: named until it has been told what became of it. */
  readonly named: string | undefined
  /** Say where the past ends, and what comes is new. */
  readonly hasMarker: boolean
}

/** One client of a group: a position in the group's frame log, not a queue. */
export class Subscriber implements OutletListener, ReplayHost {
  readonly outlet: Outlet
  readonly framing: Framing
  /** Which of the engine's heartbeat slots it is in. */
  slot = 0
  readonly group: MemberGroup
  #state: MemberState = LIVE
  /** Number of the next frame it wants, while it is live or lagging. */
  #next = 0
  /** The position that its last heartbeat told. */
  #told = ''

  constructor(group: MemberGroup, outlet: Outlet, framing: Framing) {
    this.group = group
    this.outlet = outlet
    this.framing = framing
  }

  get state(): MemberState {
    return this.#state
  }

  /** Number of the frame it wants next; undefined: it does not read the frame log at the moment, or is at its head. */
  get lagsAt(): number | undefined {
    return this.#state.kind === 'lagging' ? this.#next : undefined
  }

  /** Writes the first block, and goes live, or on its way to the head. */
  begin({ position, named, hasMarker }: Beginning): void {
    if (position) {
      this.#readPast(new Replay(this, position, hasMarker))
      this.#writeNow(this.framing.opening(retryMs(), named ?? position.cursor))
      this.schedule()
      return
    }
    this.#next = this.group.flushed
    const { cursor } = this.group.settled
    this.#writeAt(this.framing.opening(retryMs(), named ?? cursor), cursor)
    if (hasMarker) this.#writeAt(this.framing.caughtUp(cursor), cursor)
  }

  /** Live: what a flush writes. */
  deliver(bytes: Buffer, next: number): void {
    this.#next = next
    if (this.#writes(bytes) || this.#state !== LIVE) return
    const last = this.group.log.at(next - 1)
    const cursor = last ? last.cursor.toString('latin1') : this.group.settled.cursor
    this.#lag(cursor, last?.restarts)
  }

  /** Says where a member is, so that a quiet stream does not look dead. One that lags has other bytes to wait for. */
  heartbeat(): void {
    if (this.#isStopped) return
    const replay = replayOf(this.#state)
    if (replay) {
      const beat = this.#beat(replay.cursor)
      if (beat.length > 0) this.#writeNow(beat)
      return
    }
    this.group.flush()
    if (this.#state !== LIVE) return
    const { cursor } = this.group.settled
    const beat = this.#beat(cursor)
    if (beat.length > 0) this.#writeAt(beat, cursor)
  }

  /** Called once a second while it is not live: it may have waited for long enough. */
  sweep(now: number): void {
    if (this.#state.kind !== 'following') return
    this.#state.replay.check(this.#state.since, now)
    this.wake()
  }

  /** The group has moved: who follows looks whether it has come as far. */
  wake(): void {
    if (this.#state.kind === 'following' && this.#state.fullSince === 0) this.schedule()
  }

  drained(): void {
    const state = this.#state
    if (fullSinceOf(state) === 0) return
    if (state.kind === 'lagging') {
      this.#become(LIVE)
      try {
        this.#readOn(state.cursor, state.restarts)
      } catch (error) {
        this.failed(error)
      }
      return
    }
    this.#setFullSince(0)
    this.schedule()
  }

  progressed(): void {
    if (fullSinceOf(this.#state) !== 0) this.#setFullSince(performance.now())
  }

  gone(): void {
    this.#leave('client')
  }

  /** Ends the stream after what was written; at once, where its outlet takes nothing more. */
  end(reason: CloseReason): void {
    if (this.#leave(reason)) endOutlet(this.outlet, this.framing, reason)
  }

  get isClosed(): boolean {
    return this.#state === CLOSED
  }

  takes(reader: Worker): boolean {
    return replayOf(this.#state) === reader && !this.#isStopped
  }

  schedule(): void {
    const replay = replayOf(this.#state)
    if (replay) this.group.shared.replays.add(replay)
  }

  writeReplayed(bytes: Buffer, frames: number): boolean {
    this.group.shared.stats.deliveries += frames
    return this.#writeNow(bytes)
  }

  writeGaps(gaps: readonly Gap[], cursor: string): boolean {
    this.group.shared.stats.gaps += gaps.length
    return this.#writeNow(frame(this.framing, cursorBytes(cursor), this.group.gapJson(gaps)))
  }

  arrive(hasMarker: boolean): void {
    this.group.flush()
    // The group may have failed.
    if (this.isClosed) return
    this.#become(LIVE)
    this.#next = this.group.flushed
    const { cursor } = this.group.settled
    if (hasMarker) this.#writeAt(this.framing.caughtUp(cursor), cursor)
  }

  follow(): void {
    const state = this.#state
    if (state.kind === 'replaying') this.#become({ ...state, kind: 'following', since: performance.now() })
  }

  failed(error: unknown): void {
    this.group.shared.faults.tell(replayOf(this.#state) ? 'replay' : 'client', error, {
      topic: this.group.feed.topic.name,
    })
    this.fail()
  }

  /** Ends the stream, as far as that can be: its client is to come back to where it was. Never throws. */
  fail(): void {
    if (!this.#leave('failed')) return
    this.group.shared.faults.contain(
      'client',
      () => endOutlet(this.outlet, this.framing, 'failed'),
      // What was thrown first has been told, and an outlet that throws at its end is of no use.
      () => this.outlet.destroy(),
    )
  }

  /** Its outlet is full, or it has ended. */
  get #isStopped(): boolean {
    return this.isClosed || fullSinceOf(this.#state) !== 0
  }

  #become(state: MemberState): void {
    const before = this.#state
    this.#state = state
    this.group.changed(before, state)
  }

  #leave(reason: CloseReason): boolean {
    if (this.isClosed) return false
    const replay = replayOf(this.#state)
    this.#become(CLOSED)
    replay?.end()
    this.group.left(this, reason)
    return true
  }

  #setFullSince(fullSince: number): void {
    this.#become({ ...this.#state, fullSince } as MemberState)
  }

  #readPast(replay: Replay): void {
    this.#become({ kind: 'replaying', replay, fullSince: 0 })
  }

  /** Reads on from the frame log, up to where the live members are: the rest comes with them, in the next flush. */
  #readOn(cursor: string, restarts: Restarts): void {
    const { feed, log, shared } = this.group
    while (this.#state === LIVE && this.#next < this.group.flushed) {
      if (this.#next < log.first) {
        shared.stats.replays.fellBehind++
        const position = Position.after(feed, decodeCursor(feed.topic.name, cursor), restarts)
        this.#readPast(new Replay(this, position, false))
        this.schedule()
        return
      }
      const { bytes, next } = log.read(this.#next, this.group.flushed, shared.pieceBytes, this.framing)
      shared.stats.deliveries += next - this.#next
      this.deliver(bytes, next)
    }
  }

  /** The bytes of a heartbeat; `cursor` undefined: there is no position to tell yet. */
  #beat(cursor: string | undefined): Buffer {
    if (cursor === undefined || this.#told === cursor) return this.framing.heartbeat(cursor)
    this.#told = cursor
    return this.framing.moved(cursor)
  }

  /** Live: writes bytes that tell a position which is not the last frame's. */
  #writeAt(bytes: Buffer, cursor: string): void {
    if (!this.#writes(bytes) && this.#state === LIVE) this.#lag(cursor, undefined)
  }

  /** On its way to the head: writes, and says whether the outlet has room. */
  #writeNow(bytes: Buffer): boolean {
    if (!this.#writes(bytes) && !this.isClosed) this.#setFullSince(performance.now())
    return !this.#isStopped
  }

  #lag(cursor: string, restarts: Restarts = this.group.feed.window.restarts): void {
    this.#become({ kind: 'lagging', fullSince: performance.now(), cursor, restarts })
  }

  #writes(bytes: Buffer): boolean {
    const { stats } = this.group.shared
    stats.writes++
    stats.bytes += bytes.length
    try {
      return this.outlet.write(bytes)
    } catch (error) {
      this.failed(error)
      return false
    }
  }
}
