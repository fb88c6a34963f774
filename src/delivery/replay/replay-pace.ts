const SECOND_MS = 1_000
/**
 * Who has read on alone for as many events keeps nothing for others: what is kept for a while costs the garbage
 * collector as much as rendering costs.
 */
const BRIEF_EVENTS = 4096

/** Bounds the events a second that one client is given of the past: one that missed much takes no more than its part. */
export class ReplayPace {
  readonly #maxRate: number
  /** When the current second began, in milliseconds of the monotonic clock. */
  #second = 0
  /** Events written in it, */
  #written = 0
  /** and in all. */
  #total = 0

  constructor(maxRate: number) {
    this.#maxRate = maxRate
  }

  wrote(events: number): void {
    this.#total += events
    this.#written += events
  }

  get isBrief(): boolean {
    return this.#total < BRIEF_EVENTS
  }

  /** Milliseconds until more may be written; 0: now. */
  get restMs(): number {
    const now = performance.now()
    if (now - this.#second >= SECOND_MS) {
      this.#second = now
      this.#written = 0
    }
    return this.#written < this.#maxRate ? 0 : this.#second + SECOND_MS - now
  }
}
