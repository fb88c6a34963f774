/** At most so many at once have a seat; who finds none is told when it has got one, in the order of asking. */
export class Seats<T> {
  readonly #count: number
  readonly #onSeat: (who: T) => void
  readonly #failed: (error: unknown) => void
  readonly #taken = new Set<T>()
  readonly #waiting = new Set<T>()

  /** `failed` is told what `onSeat` throws; the seat is then the next one's. */
  constructor(count: number, onSeat: (who: T) => void, failed: (error: unknown) => void) {
    this.#count = count
    this.#onSeat = onSeat
    this.#failed = failed
  }

  get taken(): number {
    return this.#taken.size
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Whether it has a seat now; if not, it waits for one. */
  take(who: T): boolean {
    if (this.#taken.has(who)) return true
    if (this.#taken.size >= this.#count) {
      this.#waiting.add(who)
      return false
    }
    this.#taken.add(who)
    return true
  }

  /** It has no use for a seat, whether it has one or waits. */
  leave(who: T): void {
    this.#waiting.delete(who)
    if (!this.#taken.delete(who)) return
    for (const next of this.#waiting) {
      this.#waiting.delete(next)
      this.#taken.add(next)
      try {
        this.#onSeat(next)
        return
      } catch (error) {
        this.#taken.delete(next)
        this.#failed(error)
      }
    }
  }
}
