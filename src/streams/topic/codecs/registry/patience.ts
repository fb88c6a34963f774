export interface PatienceOptions {
  /**
   * How long records wait for a schema that a healthy registry does not have, in ms: it may be registered later, or the
   * registry restored. Then they are skipped and counted, since an id may never have existed (garbage behind a zero
   * byte). `Infinity`: they wait indefinitely.
   */
  readonly giveUpAfterMs?: number | undefined
}

const GIVE_UP_AFTER_MS = 10 * 60_000
/**
 * However old a record is, its schema is waited for so long: a registry that follows another one is seconds behind, and
 * records that are copied have old timestamps.
 */
const AT_LEAST_MS = 30_000
/** An id that was given up is asked for again so often, and nothing waits for the answer to be another one. */
const ASK_AGAIN_MS = 60_000
/** Limit of the ids that are waited for, or were given up. Of more, the oldest are forgotten, and wait again. */
const MAX_IDS = 10_000

interface Waiting {
  readonly since: number
  /** When the newest record with the id was written. */
  writtenAt: number
}

/**
 * How long ids are waited for that a healthy registry does not have. An id is given up when it was not there for
 * `giveUpAfterMs` since it was first asked for, or since its newest record was written, but for half a minute at least.
 * After one was given up, others are given up after half a minute for a time of the same length, counted from when
 * their records were written: a partition that has much garbage is held for the first of it only.
 */
export class Patience {
  readonly #giveUpAfterMs: number
  readonly #atLeastMs: number
  readonly #waiting = new Map<number, Waiting>()
  /** Ids, and when they are asked for again. */
  readonly #givenUp = new Map<number, number>()
  #impatientUntil = Number.NEGATIVE_INFINITY

  constructor({ giveUpAfterMs = GIVE_UP_AFTER_MS }: PatienceOptions) {
    if (!(giveUpAfterMs >= 0)) throw new TypeError('`giveUpAfterMs` is a number of milliseconds')
    this.#giveUpAfterMs = giveUpAfterMs
    this.#atLeastMs = Math.min(AT_LEAST_MS, giveUpAfterMs)
  }

  /** Nothing waits for it. `again`: it is to be asked for once more, as it may have been registered meanwhile. */
  givenUp(id: number, now: number): 'no' | 'yes' | 'again' {
    const askAt = this.#givenUp.get(id)
    if (askAt === undefined) return 'no'
    return now < askAt ? 'yes' : 'again'
  }

  /** The registry does not have it, once more. Whether it should be given up, if the registry is well. */
  isOver(id: number, writtenAt: number, now: number): boolean {
    let waiting = this.#waiting.get(id)
    if (!waiting) {
      waiting = { since: now, writtenAt }
      if (this.#waiting.size >= MAX_IDS) this.#waiting.delete(this.#waiting.keys().next().value as number)
      this.#waiting.set(id, waiting)
    }
    waiting.writtenAt = Math.max(waiting.writtenAt, writtenAt)
    const since = Math.min(waiting.since, waiting.writtenAt)
    if (now < this.#impatientUntil) return now - since >= this.#atLeastMs
    return now - waiting.since >= this.#atLeastMs && now - since >= this.#giveUpAfterMs
  }

  giveUp(id: number, now: number): void {
    if (now >= this.#impatientUntil && this.#giveUpAfterMs > 0) this.#impatientUntil = now + this.#giveUpAfterMs
    this.#waiting.delete(id)
    this.#givenUp.delete(id)
    if (this.#givenUp.size >= MAX_IDS) this.#givenUp.delete(this.#givenUp.keys().next().value as number)
    this.#givenUp.set(id, now + ASK_AGAIN_MS)
  }

  /** It is registered. */
  found(id: number): void {
    this.#givenUp.delete(id)
    // Others may come to be registered as well.
    if (this.#waiting.delete(id)) this.#impatientUntil = Number.NEGATIVE_INFINITY
  }
}
