/** Work of this many milliseconds a turn: what is live waits for it at most this long, and one item. */
const SLICE_MS = 2

/**
 * Does something to each item of a collection, in slices of time: as many turns of the event loop as it takes. A round over a
 * collection that is asked for while one is under way is that one. One item's failure costs no other its visit.
 */
export class Sliced<T> {
  readonly #visit: (item: T) => void
  /** Must not throw. */
  readonly #failed: (item: T, error: unknown) => void
  /** Collections to go through: bounded by those there are. */
  readonly #rounds = new Set<Iterable<T>>()
  #items: Iterator<T> | undefined
  #scheduled: NodeJS.Immediate | undefined
  #isRunning = false

  constructor(visit: (item: T) => void, failed: (item: T, error: unknown) => void) {
    this.#visit = visit
    this.#failed = failed
  }

  /** Begins a round now, if none is under way, and else behind it. The collection may change meanwhile. */
  add(items: Iterable<T>): void {
    this.#rounds.add(items)
    if (!this.#scheduled && !this.#isRunning) this.#run()
  }

  stop(): void {
    clearImmediate(this.#scheduled)
    this.#scheduled = undefined
    this.#rounds.clear()
    this.#items = undefined
  }

  #run(): void {
    this.#scheduled = undefined
    this.#isRunning = true
    const isDone = this.#slice(performance.now() + SLICE_MS)
    this.#isRunning = false
    if (!isDone) this.#scheduled = setImmediate(() => this.#run())
  }

  #slice(end: number): boolean {
    for (const round of this.#rounds) {
      this.#items ??= round[Symbol.iterator]()
      for (;;) {
        const next = this.#items?.next()
        // It has been stopped, or has come to the end of the round.
        if (!next || next.done) break
        try {
          this.#visit(next.value)
        } catch (error) {
          this.#failed(next.value, error)
        }
        if (performance.now() >= end) return false
      }
      this.#items = undefined
      this.#rounds.delete(round)
    }
    return true
  }
}
