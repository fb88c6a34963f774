/** Counting semaphore: a limited number of holders; the others wait first in, first out, and are called back. */
export class Semaphore<T> {
  readonly #count: number
  readonly #onPermit: (who: T) => void
  readonly #failed: (error: unknown) => void
  readonly #taken = new Set<T>()
  readonly #waiting = new Set<T>()

  /** `failed` is called with what `onPermit` throws; the permit then goes to the next. */
  constructor(count: number, onPermit: (who: T) => void, failed: (error: unknown) => void) {
    this.#count = count
    this.#onPermit = onPermit
    this.#failed = failed
  }

  get taken(): number {
    return this.#taken.size
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Whether it has a permit now; if not, it is queued for one. */
  take(who: T): boolean {
    if (this.#taken.has(who)) return true
    if (this.#taken.size >= this.#count) {
      this.#waiting.add(who)
      return false
    }
    this.#taken.add(who)
    return true
  }

  /** Releases the permit, or leaves the queue. */
  leave(who: T): void {
    this.#waiting.delete(who)
    if (!this.#taken.delete(who)) return
    for (const next of this.#waiting) {
      this.#waiting.delete(next)
      this.#taken.add(next)
      try {
        this.#onPermit(next)
        return
      } catch (error) {
        this.#taken.delete(next)
        this.#failed(error)
      }
    }
  }
}
