/** Units of work between two reads of the clock. Shorter work is never deferred. */
export const LOOK_EVERY = 16

/** Time slice of a budget while one with a higher priority has work left: short, but not zero. */
const BEHIND_MS = 1

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
  /** The budget with a higher priority. */
  readonly #first: TurnBudget | undefined
  /** Milliseconds of the current turn that slices have used. */
  #used = 0
  #begun = 0
  #units = 0
  /** When the first microtask of the present turn asked. */
  #microtasksSince: number | undefined
  #waiting: (() => void)[] = []
  /** Set from the first slice of a turn to the turn's end. */
  #turnEnd: NodeJS.Immediate | undefined

  /** `first`: what goes before this where it has more to do than its own milliseconds. */
  constructor(ms: number, first?: TurnBudget) {
    this.#ms = ms
    this.#first = first
  }

  /** Milliseconds of a turn like the present one. */
  get ms(): number {
    return this.#first?.isBehind ? Math.min(BEHIND_MS, this.#ms) : this.#ms
  }

  /** There is work that waits for a later turn. */
  get isBehind(): boolean {
    return this.#waiting.length > 0
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
    return this.#used + performance.now() - this.#begun >= this.ms
  }

  end(): void {
    this.#used += performance.now() - this.#begun
  }

  /**
   * For work that goes on in microtasks, which sockets and timers wait for: whether the turn is used up since the first
   * call in it, whoever called. Then the rest waits for `next`.
   */
  isTurnUsedUp(): boolean {
    const now = performance.now()
    if (this.#microtasksSince === undefined) {
      this.#microtasksSince = now
      this.#turnEnd ??= inNextTurn(this.#nextTurn)
    }
    return now - this.#microtasksSince >= this.ms
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
    this.#microtasksSince = undefined
    const goOn = this.#waiting.shift()
    this.#turnEnd = this.#waiting.length > 0 ? inNextTurn(this.#nextTurn) : undefined
    goOn?.()
  }
}

/** For live events, on which all clients wait: long enough for some thousand of them. */
export const LIVE = new TurnBudget(8)

/** For every search of the past: shorter, since live events wait for it. */
export const SCANS = new TurnBudget(5, LIVE)

/** For replays: rendering and writing the past. */
export const REPLAYS = new TurnBudget(5, LIVE)

/** For hand-written sources, which may always be ready: each has one client, and all other clients wait for it. */
export const PULLS = new TurnBudget(2, LIVE)
