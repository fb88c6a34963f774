import type { Framing } from '../protocol/framing.ts'
import type { Gap } from '../streams/event.ts'
import type { Feed } from '../streams/feed.ts'
import type { Settled } from './execution.ts'
import type { History } from './history.ts'
import type { Worker } from './turns.ts'

/** What a replay knows of the member it reads for, and of the member's group. */
export interface ReplayHost {
  readonly feed: Feed
  readonly history: History
  readonly framing: Framing
  /** Where the members in step are, once everything has been flushed. */
  readonly settled: Settled
  /** The member still reads by this replay, and its outlet has room. */
  takes(reader: Worker): boolean
  /** The member has ended. */
  readonly isClosed: boolean
  /** What a member whose bytes are its own may be given at once. */
  readonly pieceBytes: number
  /** Other members of the group read the past as well. */
  readonly hasCompany: boolean
  readonly maxReplayRate: number
  /** Counts what the replay did. */
  readonly stats: ReplayStats
  /** Writes frames; false: the outlet is full now. */
  writeReplayed(bytes: Buffer, frames: number): boolean
  /** Tells what is gone, and where the stream goes on; false: the outlet is full now. */
  writeGaps(gaps: readonly Gap[], cursor: string): boolean
  /** There is more to do, in a later turn. */
  schedule(): void
  /** Whether it may read pages of the log now; if not, it is scheduled when it may. */
  takeLogPermit(reader: Worker): boolean
  releaseLogPermit(reader: Worker): void
  /** All there is has been read: the member is in step. */
  arrive(hasMarker: boolean): void
  /** All there is has been read, but the member has seen what this instance has not. */
  follow(): void
  /** A mistake of ours: the client comes back, to where it was. */
  failed(error: unknown): void
}

export interface ReplayStats {
  readonly replays: { log: number }
  replayedEvents: number
  /** What all replays together waited for their first turn, in milliseconds. */
  replayWaitMs: number
}
