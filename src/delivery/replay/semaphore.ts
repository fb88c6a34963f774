/** A semaphore: at most so many hold a permit; the others get one in the order of asking, and are told. */
export class Semaphore<T> {
  readonly #count: number
  readonly #onPermit: (who: T) => void
  readonly #failed: (error: unknown) => void
  readonly #taken = new Set<T>()
  readonly #waiting = new Set<T>()

  /** `failed` is told what `onPermit` throws; the seat is then the next one's. */
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

  /** Whether it has a permit now; if not, it waits for one. */
  take(who: T): boolean {
    if (this.#taken.has(who)) return true
    if (this.#taken.size >= this.#count) {
      this.#waiting.add(who)
      return false
    }
    this.#taken.add(who)
    return true
  }

  /** It has no use for a permit, whether it has one or waits. */
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
