import type { Framing } from '../../protocol/framing.ts'
import type { Gap } from '../../streams/event.ts'
import type { Feed } from '../../streams/feed/feed.ts'
import type { Settled } from '../../streams/feed/settled.ts'
import type { ClientShare } from '../outlet.ts'
import type { ReplayInspection } from './replay-inspection.ts'
import type { Worker } from './round-robin.ts'
import type { Shared } from './shared.ts'

/** A replay's view of the member's group. */
export interface ReplayGroup {
  readonly feed: Feed
  readonly shared: Shared
  /** Position up to which the group has read. */
  readonly read: Settled
  /** Position of the members in step, after a flush: the same, or, with a throttle, before what is held. */
  readonly settled: Settled
  /** Number of replaying members. */
  readonly replaying: number
}

/** A member's way to the head of its group. */
export interface MemberReplay extends Worker {
  /** Undefined: it reads a table, where positions say nothing. */
  readonly inspection?: ReplayInspection | undefined
  /** The position that a heartbeat may name; undefined: none. */
  readonly cursor: string | undefined
  /** It has followed the group since `since`, in milliseconds of the monotonic clock: does the log end before it? */
  check(since: number, now: number): void
  /** It is not going to read on now. */
  end(): void
}

/** A replay's view of its member. */
export interface ReplayHost {
  readonly group: ReplayGroup
  readonly framing: Framing
  /** Its client's; absent: without limit. */
  readonly share?: ClientShare | undefined
  /** The member has ended. */
  readonly isClosed: boolean
  /** The member still uses this replay, and its outlet is not full. */
  takes(reader: Worker): boolean
  /** Writes frames; false: the outlet is full. `isShared`: others are written the same buffer. */
  writeReplayed(bytes: Buffer, frames: number, isShared: boolean): boolean
  /** Reports gaps, and the position after them; false: the outlet is full. */
  writeGaps(gaps: readonly Gap[], cursor: string): boolean
  /** Schedules the replay for a later turn. */
  schedule(): void
  /** The replay is complete: the member is in step. */
  arrive(hasMarker: boolean): void
  /** The replay is complete, but the member is ahead of this instance in some partition. */
  follow(): void
  /** An exception of ours: the client has to reconnect with its cursor. */
  failed(error: unknown): void
}
