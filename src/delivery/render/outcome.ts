import type { Restarts } from '../../streams/feed/window.ts'

/**
 * Receives results in the order of their events, with the position after each: with a throttle, the position that
 * passes nothing held. `seq` is the event's sequence number in
 * the window; undefined for a gap, or an event that the window has evicted. `restarts` identifies the log of the
 * position. `timestamp` is the record's; undefined where the result is of no record, or was held back on request.
 */
export type OnJson = (
  json: Buffer,
  cursor: string,
  seq: number | undefined,
  restarts: Restarts,
  timestamp?: number,
) => void

/** The execution failed and ended: at an event or gap of this partition and offset, where that is known. */
export type OnFailed = (error: unknown, at: { readonly partition?: number; readonly offset?: number }) => void
