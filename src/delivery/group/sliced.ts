/** Time slice in each turn: live events are delayed by at most this and one item. */
const SLICE_MS = 2

/**
 * Visits each item of a collection in time slices, over as many turns of the event loop as necessary. A request for a
 * collection whose round is in progress joins that round. The failure of one item does not affect the others.
 */
export class Sliced<T> {
  readonly #visit: (item: T) => void
  /** Must not throw. */
  readonly #failed: (item: T, error: unknown) => void
  /** Pending collections: no more than there are collections. */
  readonly #rounds = new Set<Iterable<T>>()
  #items: Iterator<T> | undefined
  #scheduled: NodeJS.Immediate | undefined
  #isRunning = false

  constructor(visit: (item: T) => void, failed: (item: T, error: unknown) => void) {
    this.#visit = visit
    this.#failed = failed
  }

  /** Starts a round, or queues it after the one in progress. The collection may change meanwhile. */
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
        // Stopped, or the round is complete.
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
