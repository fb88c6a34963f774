import type { Vector } from '../../streams/cursor/vector.ts'
import type { Feed } from '../../streams/feed/feed.ts'
import type { Position } from '../../streams/feed/position.ts'

/** Where a replay is: for those who look into a running gateway. */
export interface ReplayInspection {
  /** By partition the offset that it began at, */
  readonly from: Vector
  /** and that it reads next. */
  readonly at: Vector
  /** `log`: events that are older than the window. */
  readonly reads: 'log' | 'window'
  /** Timestamp of the event that it has come to, in ms since the epoch; undefined: it is not known. */
  readonly reached: number | undefined
  /** When it began, in milliseconds of the monotonic clock. */
  readonly startedAt: number
}

export function beginningOf({ vector }: Position): Pick<ReplayInspection, 'from' | 'startedAt'> {
  return { from: [...vector], startedAt: performance.now() }
}

export function inspectReplay(
  beginning: ReturnType<typeof beginningOf>,
  { vector, seq, readUntil }: Position,
  { window }: Feed,
): ReplayInspection {
  const isInWindow = seq >= window.firstSeq
  const reached = isInWindow ? window.at(seq)?.timestamp : readUntil
  return { ...beginning, at: [...vector], reads: isInWindow ? 'window' : 'log', reached }
}
