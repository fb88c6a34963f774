/** For how long an answer is used again, in ms: as long as a storm's clients come at once. */
const FRESH_MS = 1_000
/** Limit of seconds whose answers are kept: each is a number for each partition. */
const MAX_SECONDS = 256
const SECOND_MS = 1_000

interface Answer {
  readonly askedAt: number
  readonly positions: Promise<readonly number[]>
}

/**
 * Cache of the log's offsets by time. Clients that come back after the same moment name it to the millisecond, each
 * another: asked by the second, rounded down, they are one lookup.
 */
export class SinceCache {
  /** The oldest first. */
  readonly #answers = new Map<number, Answer>()

  /** `ask` gets the timestamp (ms) to ask the log for. */
  get(timestamp: number, ask: (timestamp: number) => Promise<readonly number[]>): Promise<readonly number[]> {
    const second = Math.floor(timestamp / SECOND_MS)
    const now = performance.now()
    const known = this.#answers.get(second)
    if (known && now - known.askedAt < FRESH_MS) return known.positions
    const positions = ask(second * SECOND_MS)
    const answer = { askedAt: now, positions }
    this.#answers.delete(second)
    this.#answers.set(second, answer)
    for (const [oldest, { askedAt }] of this.#answers) {
      if (this.#answers.size <= MAX_SECONDS && now - askedAt < FRESH_MS) break
      this.#answers.delete(oldest)
    }
    // A failure is told to all who have asked meanwhile, and the next one asks again.
    positions.catch(() => {
      if (this.#answers.get(second) === answer) this.#answers.delete(second)
    })
    return positions
  }

  /** The log was truncated or recreated: what was asked before is of another. */
  clear(): void {
    this.#answers.clear()
  }
}
