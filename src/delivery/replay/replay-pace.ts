import type { ClientShare } from '../outlet.ts'

const SECOND_MS = 1_000
/** CPU time of fetching and decoding an event of a page that was not cached, in ms: it is spent in no turn of a replay. */
const PAGE_EVENT_MS = 0.003
/**
 * A replay that has written more and is alone in its group caches nothing: what is kept for a while costs the garbage
 * collector as much as rendering costs.
 */
const BRIEF_EVENTS = 4096

/**
 * Rate limit of a replay, in events a second: a client that missed much takes no more than its share. With a share, also
 * in CPU time of all that its client does: a client that replays much slows itself, and is not refused.
 */
export class ReplayPace {
  readonly #maxRate: number
  readonly #share: ClientShare | undefined
  /** Start of the current second, in milliseconds of the monotonic clock. */
  #second = 0
  /** Events written in it, */
  #written = 0
  /** and in all. */
  #total = 0

  constructor(maxRate: number, share?: ClientShare) {
    this.#maxRate = maxRate
    this.#share = share
  }

  wrote(events: number): void {
    this.#total += events
    this.#written += events
  }

  /** A page with so many events was fetched for it. */
  decoded(events: number): void {
    this.#share?.charge(events * PAGE_EVENT_MS)
  }

  get isBrief(): boolean {
    return this.#total < BRIEF_EVENTS
  }

  /** Delay until more may be written, in milliseconds; 0: none. */
  get restMs(): number {
    const now = performance.now()
    if (now - this.#second >= SECOND_MS) {
      this.#second = now
      this.#written = 0
    }
    const restMs = this.#written < this.#maxRate ? 0 : this.#second + SECOND_MS - now
    return this.#share ? Math.max(restMs, this.#share.waitMs) : restMs
  }
}
