import type { Restarts } from '../../streams/feed/window.ts'
import type { MemberReplay } from '../replay/replay-host.ts'

/**
 * State of a member: one value, replaced as a whole.
 * - *live*: at the head of its group, where a flush writes the same bytes to all;
 * - *lagging*: its outlet is full. It continues from the frame log after the drain;
 * - *replaying*: it needs events that the frame log does not hold;
 * - *following*: it has read all there is, and is ahead of its group in some partition;
 * - *closed*.
 * Times are milliseconds of the monotonic clock; `fullSince` 0: the outlet is not full.
 */
export type MemberState =
  | { readonly kind: 'live' }
  | {
      readonly kind: 'lagging'
      readonly fullSince: number
      /** Cursor of the last block that was written: the replay starts here if the frame log drops what follows. */
      readonly cursor: string
      /** The restarts of the logs at that position. */
      readonly restarts: Restarts
    }
  | { readonly kind: 'replaying'; readonly replay: MemberReplay; readonly fullSince: number }
  | { readonly kind: 'following'; readonly replay: MemberReplay; readonly fullSince: number; readonly since: number }
  | { readonly kind: 'closed' }

export const LIVE: MemberState = { kind: 'live' }
export const CLOSED: MemberState = { kind: 'closed' }

/** Since when the outlet is full; 0: it is not. */
export function fullSinceOf(state: MemberState): number {
  return 'fullSince' in state ? state.fullSince : 0
}

export function replayOf(state: MemberState): MemberReplay | undefined {
  return 'replay' in state ? state.replay : undefined
}
