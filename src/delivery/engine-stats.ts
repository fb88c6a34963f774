import type { CloseReason } from './subscriber.ts'

/** What an engine has done, counted in plain numbers: the hot path counts, and a scrape reads. */
export interface EngineStats {
  /** Events executed, once for each group that they match. */
  executions: number
  /** Results serialized. */
  bodies: number
  /** Operations compiled. */
  compiled: number
  /** Bodies made into frames, once for each group. */
  frames: number
  /** Frames given to subscribers. */
  deliveries: number
  writes: number
  bytes: number
  flushes: number
  closes: Partial<Record<CloseReason, number>>
  /** Groups that could not go on. */
  failedGroups: number
  /** Streams that started in the past; those of them that needed the log; members that fell off their frame log. */
  readonly replays: { started: number; log: number; fellBehind: number }
  replayedEvents: number
  /** Gaps told, to each client. */
  gaps: number
  /** What all replays together waited for their first turn, in milliseconds. */
  replayWaitMs: number
}

export function newStats(): EngineStats {
  return {
    executions: 0,
    bodies: 0,
    compiled: 0,
    frames: 0,
    deliveries: 0,
    writes: 0,
    bytes: 0,
    flushes: 0,
    closes: {},
    failedGroups: 0,
    replays: { started: 0, log: 0, fellBehind: 0 },
    replayedEvents: 0,
    gaps: 0,
    replayWaitMs: 0,
  }
}
