/** Units of work between two looks at the clock: what takes less is never put off. */
export const LOOK_EVERY = 16

/** What is left of a turn to each of those that others go before: little, but they go on. */
const BEHIND_MS = 1

/** Taken when the module is loaded: a test that fakes timers still has turns of the event loop. */
const inNextTurn = globalThis.setImmediate

/**
 * Time slice for work that may be long: it goes on for so many milliseconds of each turn of the event loop, and then in
 * a later turn, first come, first served, so that sockets and timers come in between. A fetch of work is `begin`,
 * `isUsedUp` after each unit, and `end`; where it is not done, it waits for `next` and begins again. Or it is a generator
 * that says after each step how many units that was, for `run`.
 */
class TurnBudget {
  readonly #ms: number
  readonly #first: TurnBudget | undefined
  /** Milliseconds of the present turn that fetches of work have taken. */
  #used = 0
  #begun = 0
  #units = 0
  /** When the first microtask of the present turn asked. */
  #microtasksSince: number | undefined
  #waiting: (() => void)[] = []
  /** Set from the first fetch of work of a turn to its end. */
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

  /** Says what was done, in units of some microseconds. True: the rest is for a later turn. */
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

  /** Resolves in a later turn that nobody else goes on in. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#turnEnd ??= inNextTurn(this.#nextTurn)
    })
  }

  /**
   * Runs steps to their end: in this turn, or, where that takes too long, also in later ones; then the promise settles
   * when they are done, or not wanted any more. `onPause` is called at the end of each turn but the last. Throws, or
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

  /** Whether that was all. */
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

/** For events as they come: what all clients wait for, and long enough for some thousand of them. */
export const LIVE = new TurnBudget(8)

/** For all that search the past: shorter, since what is live waits for it. */
export const SCANS = new TurnBudget(5, LIVE)

/** For what is rendered and written of the past, likewise. */
export const REPLAYS = new TurnBudget(5, LIVE)

/** For hand-written sources, which may always be ready: each is of one client, and all others wait for it. */
export const PULLS = new TurnBudget(2, LIVE)
