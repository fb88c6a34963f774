/** Limit of distinct keys: they take some 100 KB at most. */
const MAX_KEYS = 256
/** Longer keys are not stored: they share one limit, as keys beyond the limit do. */
const MAX_KEY_CHARS = 256

interface Limit {
  againAt: number
  unlogged: number
}

/**
 * Rate limit for log lines: one for each key passes in each interval, with the number suppressed since the last.
 * Bounded: keys beyond the limit share one, so that made-up keys fill neither memory nor log.
 */
export class RateLimit {
  readonly #intervalMs: number
  /** In the order in which they last passed, which is that of their expiry. */
  readonly #limits = new Map<string, Limit>()
  readonly #shared: Limit = { againAt: Number.NEGATIVE_INFINITY, unlogged: 0 }

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** Calls `warn` with the number suppressed since its last call for this key; or counts this one as suppressed. */
  tell(warn: (unlogged: number) => void, key = ''): void {
    const now = performance.now()
    const limit = this.#limitOf(key, now)
    if (now < limit.againAt) {
      limit.unlogged++
      return
    }
    const { unlogged } = limit
    limit.unlogged = 0
    limit.againAt = now + this.#intervalMs
    if (limit !== this.#shared) {
      this.#limits.delete(key)
      this.#limits.set(key, limit)
    }
    warn(unlogged)
  }

  #limitOf(key: string, now: number): Limit {
    const known = this.#limits.get(key)
    if (known) return known
    if (key.length > MAX_KEY_CHARS) return this.#shared
    if (this.#limits.size >= MAX_KEYS) {
      const [oldest, limit] = this.#limits.entries().next().value as [string, Limit]
      if (now < limit.againAt) return this.#shared
      this.#limits.delete(oldest)
      // The count is kept: the next line of the shared limit includes it.
      this.#shared.unlogged += limit.unlogged
    }
    const limit = { againAt: Number.NEGATIVE_INFINITY, unlogged: 0 }
    this.#limits.set(key, limit)
    return limit
  }
}
