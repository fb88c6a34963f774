import type { Faults } from '../../errors/faults.ts'
import type { ResolverErrors } from '../../errors/resolver-errors.ts'
import type { Feed } from '../../streams/feed/feed.ts'
import { FrameBudget } from '../frames/frame-budget.ts'
import { PIECE_BYTES } from '../frames/piece.ts'
import type { CloseReason } from '../outlet.ts'
import { HistoryCache } from './history.ts'
import { RoundRobin, type Worker } from './round-robin.ts'
import { Semaphore } from './semaphore.ts'

/** For the frame logs of all groups together: some 200,000 frames of 300 bytes. */
const FRAME_LOG_BYTES = 64 * 1024 * 1024
/** Replays of a topic that have a page of its log in hand at once: each is some MiB, once it is decoded. */
const MAX_LOG_READERS = 16
/** One client that missed much takes no more of a core than this: some tenth, where bodies have to be rendered. */
const REPLAY_EVENTS_PER_SECOND = 50_000
/** A lagging member reads on in pieces, for the sake of few writes, but smaller ones where many lag, */
const ALL_PIECES_BYTES = 64 * 1024 * 1024
/** since each may hold one for as long as its client takes nothing: about three frames, if ten thousand do. */
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

/** What all groups of a process share: budgets, the order of replays, and what is counted. */
export class Shared {
  readonly faults: Faults
  readonly errors: ResolverErrors
  readonly stats = noStats()
  readonly budget = new FrameBudget(FRAME_LOG_BYTES)
  readonly history = new HistoryCache()
  readonly replays: RoundRobin<Worker>
  readonly maxReplayRate: number
  /** Members whose outlets are full. Changed by `Subscriber` alone, with its state. */
  lagging = 0
  readonly #logPermits = new Map<Feed, Semaphore<Worker>>()

  constructor(faults: Faults, errors: ResolverErrors, maxReplayRate: number = REPLAY_EVENTS_PER_SECOND) {
    this.faults = faults
    this.errors = errors
    this.replays = new RoundRobin((error) => faults.tell('replay', error))
    this.maxReplayRate = maxReplayRate
  }

  /** What a member whose bytes are its own may be given at once. */
  get pieceBytes(): number {
    return Math.max(MIN_PIECE_BYTES, Math.min(PIECE_BYTES, ALL_PIECES_BYTES / (this.lagging + 1)))
  }

  /** Who reads pages of a topic's log takes a permit first, and is given its turn when it has got one. */
  logPermitsOf(feed: Feed): Semaphore<Worker> {
    let permits = this.#logPermits.get(feed)
    if (!permits) {
      const failed = (error: unknown) => this.faults.tell('replay', error)
      permits = new Semaphore(MAX_LOG_READERS, (replay) => this.replays.add(replay), failed)
      this.#logPermits.set(feed, permits)
    }
    return permits
  }

  /** Replays that wait for their turn, or for a permit. */
  get replaysWaiting(): number {
    let waiting = this.replays.length
    for (const permits of this.#logPermits.values()) waiting += permits.waiting
    return waiting
  }
}
