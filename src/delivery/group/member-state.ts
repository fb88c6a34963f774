import type { Restarts } from '../../streams/feed/window.ts'
import type { Replay } from '../replay/replay.ts'

/**
 * What a member does: the one value that says so, replaced as a whole.
 * - *live*: at the head of its group, where a flush writes the same bytes to everybody;
 * - *lagging*: its outlet is full, and it reads on from the frame log when that drains;
 * - *replaying*: it wants what the frame log does not have;
 * - *following*: it has read all there is, and has seen what its group has not;
 * - *closed*.
 * Times are milliseconds of the monotonic clock; `fullSince` 0: the outlet has room.
 */
export type MemberState =
  | { readonly kind: 'live' }
  | {
      readonly kind: 'lagging'
      readonly fullSince: number
      /** What its client was told last: it goes on from there, should the frame log have dropped what follows. */
      readonly cursor: string
      /** The logs that had been replaced at that position. */
      readonly restarts: Restarts
    }
  | { readonly kind: 'replaying'; readonly replay: Replay; readonly fullSince: number }
  | { readonly kind: 'following'; readonly replay: Replay; readonly fullSince: number; readonly since: number }
  | { readonly kind: 'closed' }

export const LIVE: MemberState = { kind: 'live' }
export const CLOSED: MemberState = { kind: 'closed' }

/** Since when the outlet is full; 0: it has room. */
export function fullSinceOf(state: MemberState): number {
  return 'fullSince' in state ? state.fullSince : 0
}

export function replayOf(state: MemberState): Replay | undefined {
  return 'replay' in state ? state.replay : undefined
}
