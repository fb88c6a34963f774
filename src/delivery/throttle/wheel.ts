import type { Faults } from '../../errors/faults.ts'
import { LIVE, LOOK_EVERY } from '../../streams/turn-budget.ts'

/** Resolution: an event that was held for 50 ms or more may wait as long for its flush. */
export const TICK_MS = 25
/** Slots of 12.8 s together. What is due later is looked at once in a turn of the wheel: an hour is 281 times. */
const SLOTS = 512

/** Something with a time at which it is due. */
export interface Timed {
  tick(): void
  /** `tick` threw. Must not throw. */
  failed(error: unknown): void
}

/**
 * Hashed timing wheel: one timer for everything that is due at some time, which stands still while nothing is. A thing
 * is due once, at the first tick after its time.
 */
export class Wheel {
  readonly #faults: Faults
  readonly #slots: readonly Set<Timed>[] = Array.from({ length: SLOTS }, () => new Set())
  /** In which tick each thing is due. */
  readonly #ticks = new Map<Timed, number>()
  #timer: NodeJS.Timeout | undefined
  /** The last tick that has been visited. */
  #tick = 0
  #stopped = false

  constructor(faults: Faults) {
    this.#faults = faults
  }

  get size(): number {
    return this.#ticks.size
  }

  /** Sets when something is due, in milliseconds of the monotonic clock. An earlier time of it is void. */
  schedule(timed: Timed, at: number): void {
    if (this.#stopped) return
    if (!this.#timer) {
      this.#tick = Math.floor(performance.now() / TICK_MS)
      this.#timer = setInterval(() => this.#faults.contain('throttle', () => this.#visit()), TICK_MS)
    }
    const tick = Math.max(this.#tick + 1, Math.ceil(at / TICK_MS))
    if (this.#ticks.get(timed) === tick) return
    this.cancel(timed)
    this.#ticks.set(timed, tick)
    this.#slotOf(tick).add(timed)
  }

  cancel(timed: Timed): void {
    const tick = this.#ticks.get(timed)
    if (tick === undefined) return
    this.#ticks.delete(timed)
    this.#slotOf(tick).delete(timed)
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
    for (const slot of this.#slots) slot.clear()
    this.#ticks.clear()
  }

  #slotOf(tick: number): Set<Timed> {
    return this.#slots[tick % SLOTS] as Set<Timed>
  }

  #visit(): void {
    const now = Math.floor(performance.now() / TICK_MS)
    const due: Timed[] = []
    // Ticks may have been missed: a slot for each, or all slots once.
    for (let tick = Math.max(this.#tick + 1, now - SLOTS + 1); tick <= now; tick++) {
      for (const timed of this.#slotOf(tick)) if ((this.#ticks.get(timed) as number) <= now) due.push(timed)
    }
    this.#tick = now
    for (const timed of due) this.cancel(timed)
    if (due.length > 0)
      void LIVE.run(
        this.#visitAll(due),
        () => !this.#stopped,
        () => {},
      )
    if (this.#ticks.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  *#visitAll(due: readonly Timed[]): Generator<number, void> {
    for (const timed of due) {
      try {
        timed.tick()
      } catch (error) {
        timed.failed(error)
      }
      yield LOOK_EVERY
    }
  }
}
