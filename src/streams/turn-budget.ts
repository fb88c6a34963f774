/** Units of work between two reads of the clock. Shorter work is never deferred. */
export const LOOK_EVERY = 16

/** Taken at module load: fake timers of a test must not replace it. */
const inNextTurn = globalThis.setImmediate

/**
 * Time slice for long work. It runs for so many milliseconds of each turn of the event loop, and continues in a later
 * turn, first come, first served, so that sockets and timers are served in between.
 * A slice of work calls `begin`, `isUsedUp` after each unit, and `end`. Where the work is not done, it awaits `next`
 * and begins again. Alternatively it is a generator for `run`, which yields the number of units after each step.
 */
class TurnBudget {
  readonly #ms: number
  /** Milliseconds of the current turn that slices have used. */
  #used = 0
  #begun = 0
  #units = 0
  #waiting: (() => void)[] = []
  /** Set from the first slice of a turn to the turn's end. */
  #turnEnd: NodeJS.Immediate | undefined

  constructor(ms: number) {
    this.#ms = ms
  }

  begin(): void {
    this.#units = 0
    this.#begun = performance.now()
    this.#turnEnd ??= inNextTurn(this.#nextTurn)
  }

  /** Counts units of some microseconds each. True: the budget is used up, and the rest belongs to a later turn. */
  isUsedUp(units = 1): boolean {
    this.#units += units
    if (this.#units < LOOK_EVERY) return false
    this.#units = 0
    return this.#used + performance.now() - this.#begun >= this.#ms
  }

  end(): void {
    this.#used += performance.now() - this.#begun
  }

  /** Resolves in a later turn, in which no other waiter continues. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#turnEnd ??= inNextTurn(this.#nextTurn)
    })
  }

  /**
   * Runs the steps to their end: in this turn, or, if that takes too long, in later ones too. The promise then settles
   * when they are done or no longer wanted. `onPause` is called at the end of each turn but the last. Throws, or
   * rejects, with what a step throws.
   */
  run(steps: Iterator<number, void>, isWanted: () => boolean, onPause: () => void): Promise<void> | undefined {
    if (this.#runSome(steps, isWanted)) return undefined
    return (async () => {
      do {
        onPause()
        await this.next()
      } while (!this.#runSome(steps, isWanted))
    })()
  }

  /** Whether all steps are done. */
  #runSome(steps: Iterator<number, void>, isWanted: () => boolean): boolean {
    if (!isWanted()) return true
    this.begin()
    try {
      for (;;) {
        const step = steps.next()
        if (step.done) return true
        if (this.isUsedUp(step.value)) return false
      }
    } finally {
      this.end()
    }
  }

  readonly #nextTurn = (): void => {
    this.#used = 0
    const goOn = this.#waiting.shift()
    this.#turnEnd = this.#waiting.length > 0 ? inNextTurn(this.#nextTurn) : undefined
    goOn?.()
  }
}

/** For live events, on which all clients wait: long enough for some thousand of them. */
export const LIVE = new TurnBudget(8)

/** For every search of the past: shorter, since live events wait for it. */
export const SCANS = new TurnBudget(5)
