export interface BucketSize {
  /** Tokens that come back each second. */
  readonly perSecond: number
  /** Tokens of a full bucket. */
  readonly burst: number
}

/** Resolution of waiting, in ms: a monotonic clock that has run for years has no finer one. */
const RESOLUTION_MS = 1e-6

/**
 * Token bucket. Within any time t it gives at most `burst + perSecond * t` tokens, and what was charged beyond that is
 * a debt, which has to come back first. Its state is one number, the moment at which it is full again (the generic cell
 * rate algorithm), so that nothing has to run while it fills.
 */
export class TokenBucket {
  readonly #size: BucketSize
  /** In milliseconds of the monotonic clock, as `now` of all methods. */
  #fullAt = Number.NEGATIVE_INFINITY

  constructor(size: BucketSize) {
    this.#size = size
  }

  isFull(now: number): boolean {
    return this.#fullAt <= now
  }

  /** Time until it has so many tokens, in ms; 0: it has them. Never for more than its burst. */
  waitMs(tokens: number, now: number): number {
    const { perSecond, burst } = this.#size
    if (tokens > burst) return Number.POSITIVE_INFINITY
    const waitMs = this.#fullAt - now - ((burst - tokens) / perSecond) * 1_000
    return waitMs > RESOLUTION_MS ? waitMs : 0
  }

  /** Takes tokens, whether it has them or not. */
  charge(tokens: number, now: number): void {
    this.#fullAt = Math.max(this.#fullAt, now) + (tokens / this.#size.perSecond) * 1_000
  }
}
