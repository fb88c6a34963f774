import type { Framing } from '../../protocol/framing.ts'
import type { Gap } from '../../streams/event.ts'
import type { Feed } from '../../streams/feed/feed.ts'
import type { Settled } from '../render/execution.ts'
import type { History } from './history.ts'
import type { Worker } from './round-robin.ts'
import type { Shared } from './shared.ts'

/** What a replay reads of the member's group. */
export interface ReplayGroup {
  readonly feed: Feed
  readonly history: History
  readonly shared: Shared
  /** Where the members in step are, once everything has been flushed. */
  readonly settled: Settled
  /** Members on their way to the head. */
  readonly replaying: number
}

/** What a replay asks of the member that it reads for. */
export interface ReplayHost {
  readonly group: ReplayGroup
  readonly framing: Framing
  /** The member has ended. */
  readonly isClosed: boolean
  /** The member still reads by this replay, and its outlet has room. */
  takes(reader: Worker): boolean
  /** Writes frames; false: the outlet is full now. */
  writeReplayed(bytes: Buffer, frames: number): boolean
  /** Tells what is gone, and where the stream goes on; false: the outlet is full now. */
  writeGaps(gaps: readonly Gap[], cursor: string): boolean
  /** There is more to do, in a later turn. */
  schedule(): void
  /** All there is has been read: the member is in step. */
  arrive(hasMarker: boolean): void
  /** All there is has been read, but the member has seen what this instance has not. */
  follow(): void
  /** A mistake of ours: the client comes back, to where it was. */
  failed(error: unknown): void
}
