import type { Position } from '../../streams/feed/position.ts'
import type { Settled } from '../../streams/feed/settled.ts'
import type { Restarts } from '../../streams/feed/window.ts'
import type { MemberReplay, ReplayHost } from './replay-host.ts'

/** Start of a member. */
export interface Beginning {
  /** Undefined: the group's position. */
  readonly position: Position | undefined
  /** The client's cursor: repeated to it until its first result or gap replaces it. */
  readonly named: string | undefined
  /** Send a marker at the end of the replay. */
  readonly hasMarker: boolean
}

/** How a group comes by its results, and its members to the head: those of a stream, or those of a table. */
export interface Flow {
  /** Position up to which it has read. */
  readonly read: Settled
  /** Position of the members at the head, after a flush: the same, or, with a throttle, before what is held. */
  readonly settled: Settled
  /** Events or changes that its filter was asked about, and took. */
  readonly counts: { readonly asked: number; readonly taken: number }
  /** Renders nothing until `resume`: the group has no members. */
  suspend(): void
  resume(): void
  end(): void
  /** The way of a new member to the head. Undefined: it is there. */
  begin(host: ReplayHost, beginning: Beginning): MemberReplay | undefined
  /** The way of a member that has lagged, from a cursor and the restarts of the logs at it. */
  goOn(host: ReplayHost, cursor: string, restarts: Restarts): MemberReplay
  /** A member that lags by so many bytes goes on by `goOn`, though the frames are there. */
  readonly maxLagBytes: number
}
