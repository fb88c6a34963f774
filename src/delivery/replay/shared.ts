import type { Faults } from '../../errors/faults.ts'
import type { ResolverErrors } from '../../errors/resolver-errors.ts'
import type { Feed } from '../../streams/feed/feed.ts'
import { EventAges } from '../counts/event-ages.ts'
import { OperationCounts } from '../counts/operation-counts.ts'
import { FrameBudget } from '../frames/frame-budget.ts'
import { PIECE_BYTES } from '../frames/piece.ts'
import { type CloseReason, WRITE_STALL_MS } from '../outlet.ts'
import { Throttles } from '../throttle/throttles.ts'
import { HistoryCache } from './pieces.ts'
import { RoundRobin, type Worker } from './round-robin.ts'
import { Semaphore } from './semaphore.ts'

/** Budget of the frame logs of all groups: some 200,000 frames of 300 bytes. */
const FRAME_LOG_BYTES = 64 * 1024 * 1024
/** Limit of concurrent replays of a topic that hold a page of its log: each is some MiB after decoding. */
const MAX_LOG_READERS = 16
/** Rate limit of replay for one client: some tenth of a core, where bodies have to be rendered. */
const REPLAY_EVENTS_PER_SECOND = 50_000
/** Budget of the pieces of all lagging members. Pieces save system calls, but are smaller where many members lag, */
const ALL_PIECES_BYTES = 64 * 1024 * 1024
/** since each may be held for as long as the outlet is full: about three frames, with ten thousand members. */
const MIN_PIECE_BYTES = 1024

export interface EngineStats {
  /** Events executed, once for each group that they match. */
  executions: number
  /** Results serialized. */
  bodies: number
  /** Operations compiled. */
  compiled: number
  /** Results that entered a frame log, once for each group. */
  frames: number
  /** Frames written to subscribers. */
  deliveries: number
  writes: number
  bytes: number
  flushes: number
  closes: Partial<Record<CloseReason, number>>
  /** Groups that failed. */
  failedGroups: number
  /** Streams that started in the past; those of them that read the log; members that fell behind their frame log. */
  readonly replays: { started: number; log: number; fellBehind: number }
  replayedEvents: number
  /** Gaps reported, counted for each client. */
  gaps: number
  /** Total time that replays waited for their first turn, in milliseconds. */
  replayWaitMs: number
}

function noStats(): EngineStats {
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

/** State shared by all groups of a process: budgets, replay scheduling, and counters. */
export class Shared {
  readonly faults: Faults
  readonly errors: ResolverErrors
  readonly stats = noStats()
  readonly ages = new EventAges()
  readonly operations = new OperationCounts()
  readonly budget = new FrameBudget(FRAME_LOG_BYTES)
  readonly history = new HistoryCache()
  readonly throttles: Throttles
  readonly replays: RoundRobin<Worker>
  readonly maxReplayRate: number
  readonly writeStallMs: number
  /** Number of members with a full outlet. Only `Subscriber` changes it, with its state. */
  lagging = 0
  readonly #logPermits = new Map<Feed, Semaphore<Worker>>()

  constructor(
    faults: Faults,
    errors: ResolverErrors,
    maxReplayRate: number = REPLAY_EVENTS_PER_SECOND,
    writeStallMs: number = WRITE_STALL_MS,
  ) {
    this.faults = faults
    this.errors = errors
    this.throttles = new Throttles(faults)
    this.replays = new RoundRobin((error) => faults.tell('replay', error))
    this.maxReplayRate = maxReplayRate
    this.writeStallMs = writeStallMs
  }

  /** Size limit of a write that is not shared between members. */
  get pieceBytes(): number {
    return Math.max(MIN_PIECE_BYTES, Math.min(PIECE_BYTES, ALL_PIECES_BYTES / (this.lagging + 1)))
  }

  /** Semaphore of the readers of a topic's log. A reader that receives its permit is scheduled. */
  logPermitsOf(feed: Feed): Semaphore<Worker> {
    let permits = this.#logPermits.get(feed)
    if (!permits) {
      const failed = (error: unknown) => this.faults.tell('replay', error)
      permits = new Semaphore(MAX_LOG_READERS, (replay) => this.replays.add(replay), failed)
      this.#logPermits.set(feed, permits)
    }
    return permits
  }

  /** Number of replays that wait for their turn, or for a permit. */
  get replaysWaiting(): number {
    let waiting = this.replays.length
    for (const permits of this.#logPermits.values()) waiting += permits.waiting
    return waiting
  }
}
