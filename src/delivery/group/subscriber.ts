import { retryMs } from '../../errors/retry-hints.ts'
import { type Framing, frame } from '../../protocol/framing.ts'
import type { Gap } from '../../streams/event.ts'
import type { Restarts } from '../../streams/feed/window.ts'
import { cursorBytes, type FrameLog } from '../frames/frame-log.ts'
import type { CloseReason, Outlet, OutletListener, Sharing } from '../outlet.ts'
import type { Beginning, Flow } from '../replay/flow.ts'
import type { MemberReplay, ReplayGroup, ReplayHost } from '../replay/replay-host.ts'
import type { Worker } from '../replay/round-robin.ts'
import { endOutlet } from './ending.ts'
import { CLOSED, fullSinceOf, LIVE, type MemberState, replayOf } from './member-state.ts'

/** A member's view of its group. */
export interface MemberGroup extends ReplayGroup {
  readonly log: FrameLog
  /** Counts bytes that a member was written. */
  sent(bytes: number): void
  readonly flow: Flow
  /** Number of the first frame that has not been flushed. */
  readonly flushed: number
  flush(): void
  /** The result that reports gaps. */
  gapJson(gaps: readonly Gap[]): Buffer
  /** The member's state has changed. */
  changed(from: MemberState, to: MemberState): void
  left(member: Subscriber, reason: CloseReason): void
}

/** One client of a group: a position in the group's frame log, not a queue. */
export class Subscriber implements OutletListener, ReplayHost {
  readonly outlet: Outlet
  readonly framing: Framing
  /** Index of its heartbeat slot. */
  slot = 0
  readonly group: MemberGroup
  #state: MemberState = LIVE
  /** Number of the next frame to write, while it is live or lagging. */
  #next = 0
  /** Number of the first frame since it has last been live, */
  #liveFrom = 0
  /** and the results that it was written before that. */
  #events = 0
  /** Position in its last heartbeat; none, where it may have gone back since, over a gap. */
  #told = ''

  constructor(group: MemberGroup, outlet: Outlet, framing: Framing) {
    this.group = group
    this.outlet = outlet
    this.framing = framing
  }

  /** Results written to it: nothing is counted for each frame, since frames have numbers. */
  get events(): number {
    const { kind } = this.#state
    return kind === 'live' || kind === 'lagging' ? this.#events + this.#next - this.#liveFrom : this.#events
  }

  get share(): ReplayHost['share'] {
    return this.outlet.share
  }

  get state(): MemberState {
    return this.#state
  }

  /** Number of the next frame to read; undefined: it does not read the frame log, or is at its head. */
  get lagsAt(): number | undefined {
    return this.#state.kind === 'lagging' ? this.#next : undefined
  }

  /** Writes the first block, and becomes live or replaying. */
  begin(beginning: Beginning): void {
    const { named, hasMarker } = beginning
    const replay = this.group.flow.begin(this, beginning)
    if (replay) {
      this.#become({ kind: 'replaying', replay, fullSince: 0 })
      this.#writeNow(this.framing.opening(retryMs(), named ?? replay.cursor))
      this.schedule()
      return
    }
    this.#next = this.group.flushed
    this.#liveFrom = this.#next
    const { cursor } = this.group.settled
    this.#writeAt(this.framing.opening(retryMs(), named ?? cursor), cursor)
    if (hasMarker) this.#writeAt(this.framing.caughtUp(cursor), cursor)
  }

  /** Live: writes the bytes of a flush, or some of those that it has still to read. */
  deliver(bytes: Buffer, next: number, sharing: Sharing): void {
    this.#next = next
    this.#told = ''
    if (this.#writes(bytes, sharing) || this.#state !== LIVE) return
    const last = this.group.log.at(next - 1)
    const { settled } = this.group
    this.#lag(last?.cursor.toString('latin1') ?? settled.cursor, (last ?? settled).restarts)
  }

  /** Heartbeat with the position. Who lags has other bytes pending, and so has a live one whose group is about to flush. */
  heartbeat(): void {
    if (this.#isStopped) return
    const replay = replayOf(this.#state)
    if (replay) {
      const beat = this.#beat(replay.cursor)
      if (beat.length > 0) this.#writeNow(beat)
      return
    }
    if (this.#state !== LIVE || this.group.flushed < this.group.log.next) return
    const { cursor } = this.group.settled
    const beat = this.#beat(cursor)
    if (beat.length > 0) this.#writeAt(beat, cursor)
  }

  /** What it was told is void: unless it is on its way already, and notices by itself, it begins again by `begin`. */
  startOver(begin: (host: ReplayHost) => MemberReplay): void {
    const state = this.#state
    if (state.kind === 'live' || state.kind === 'lagging')
      this.#become({ kind: 'replaying', replay: begin(this), fullSince: fullSinceOf(state) })
    if (fullSinceOf(state) === 0) this.schedule()
  }

  /** Called once a second unless it is live: checks the write stall timeout. */
  sweep(now: number): void {
    if (this.#state.kind !== 'following') return
    this.#state.replay.check(this.#state.since, now)
    this.wake()
  }

  /** The group's position has moved: a following member checks whether the group has caught up. */
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

  /** Ends the stream after the written bytes; at once, if its outlet is full. */
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

  writeReplayed(bytes: Buffer, frames: number, isShared: boolean): boolean {
    this.group.shared.stats.deliveries += frames
    this.#events += frames
    this.group.sent(bytes.length)
    return this.#writeNow(bytes, isShared ? 'shared' : 'own')
  }

  writeGaps(gaps: readonly Gap[], cursor: string): boolean {
    this.group.shared.stats.gaps += gaps.length
    this.#told = ''
    return this.#writeNow(frame(this.framing.results, cursorBytes(cursor), this.group.gapJson(gaps)))
  }

  arrive(hasMarker: boolean): void {
    this.group.flush()
    // The group may have failed.
    if (this.isClosed) return
    this.#become(LIVE)
    this.#next = this.group.flushed
    this.#liveFrom = this.#next
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

  /** Ends the stream after a failure, so that the client reconnects with its cursor. Never throws. */
  fail(): void {
    if (!this.#leave('failed')) return
    this.group.shared.faults.contain(
      'client',
      () => endOutlet(this.outlet, this.framing, 'failed'),
      // The first exception has been reported. An outlet that throws at its end is destroyed.
      () => this.outlet.destroy(),
    )
  }

  /** The outlet is full, or the member has ended. */
  get #isStopped(): boolean {
    return this.isClosed || fullSinceOf(this.#state) !== 0
  }

  #become(state: MemberState): void {
    const before = this.#state
    const { events } = this
    this.#state = state
    if (state.kind !== 'live' && state.kind !== 'lagging') this.#events = events
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

  /** Reads from the frame log up to the flushed frames. Later frames are written by the next flush. */
  #readOn(cursor: string, restarts: Restarts): void {
    const { flow, log, shared } = this.group
    while (this.#state === LIVE && this.#next < this.group.flushed) {
      if (this.#next < log.first || log.exceeds(this.#next, flow.maxLagBytes)) {
        shared.stats.replays.fellBehind++
        this.#become({ kind: 'replaying', replay: flow.goOn(this, cursor, restarts), fullSince: 0 })
        this.schedule()
        return
      }
      const { bytes, next } = log.read(this.#next, this.group.flushed, shared.pieceBytes, this.framing.results)
      shared.stats.deliveries += next - this.#next
      this.group.sent(bytes.length)
      this.deliver(bytes, next, 'own')
    }
  }

  /** The bytes of a heartbeat; `cursor` undefined: there is no position yet. */
  #beat(cursor: string | undefined): Buffer {
    if (cursor === undefined || this.#told === cursor) return this.framing.heartbeat(cursor)
    this.#told = cursor
    return this.framing.moved(cursor)
  }

  /** Live: writes bytes with a position that differs from the last frame's. */
  #writeAt(bytes: Buffer, cursor: string): void {
    if (!this.#writes(bytes, 'own') && this.#state === LIVE) this.#lag(cursor, this.group.settled.restarts)
  }

  /** Not live: writes, and returns whether the outlet has room. */
  #writeNow(bytes: Buffer, sharing: Sharing = 'own'): boolean {
    if (!this.#writes(bytes, sharing) && !this.isClosed) this.#setFullSince(performance.now())
    return !this.#isStopped
  }

  #lag(cursor: string, restarts: Restarts): void {
    this.#become({ kind: 'lagging', fullSince: performance.now(), cursor, restarts })
  }

  #writes(bytes: Buffer, sharing: Sharing): boolean {
    const { stats } = this.group.shared
    stats.writes++
    stats.bytes += bytes.length
    try {
      return this.outlet.write(bytes, sharing)
    } catch (error) {
      this.failed(error)
      return false
    }
  }
}
