import type { Logger } from 'pino'
import type { Faults } from '../errors/faults.ts'
import type { ResolverErrors } from '../errors/resolver-errors.ts'
import type { Vector } from '../streams/cursor/vector.ts'
import type { Feed } from '../streams/feed/feed.ts'
import type { Position } from '../streams/feed/position.ts'
import type { Table } from '../streams/table/table.ts'
import type { Topic } from '../streams/topic/topic.ts'
import type { ResolverTimes } from './counts/resolver-times.ts'
import type { ClientShare } from './outlet.ts'

export interface EngineOptions {
  readonly feed: <V>(topic: Topic<V>) => Feed<V>
  /** For fields made by `t.table`. */
  readonly table?: <V>(topic: Topic<V>) => Table<V>
  readonly heartbeatMs: number
  /** Rate limit of replay, for each client. */
  readonly replayEventsPerSecond?: number
  /** Limit of groups. */
  readonly maxGroups?: number
  /** Write stall timeout, for tests; else `WRITE_STALL_MS`. */
  readonly writeStallMs?: number | undefined
  readonly log: Logger
  readonly faults?: Faults
  readonly errors?: ResolverErrors
  /** Absent: resolvers are not measured. */
  readonly times?: ResolverTimes
}

/** Where a subscription starts. */
export type Start =
  /** After the position of a cursor. `floor`: before it nothing may be read. */
  { readonly after: string; readonly floor?: Vector } | { readonly position: Position }

export interface PrepareOptions {
  /** Now, if absent. */
  readonly start?: Start | undefined
  /** Send a result that marks the end of the replay. */
  readonly hasMarker?: boolean
  /** For whom a group is created; absent: for nobody who is counted. */
  readonly share?: ClientShare | undefined
}
