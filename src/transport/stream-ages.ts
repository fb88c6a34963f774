/** Streams that begin together, as after a restart, do not end together: within this part of the maximum age. */
const JITTER = 0.25
/** How finely their ends are told apart: a thousandth of the jitter, where the age is an hour. */
const SLOT_MS = 1_000
const MIN_SLOTS = 40

interface Aging {
  /** Number of the slot in which it ends. */
  slot: number
}

/**
 * Ends streams when they get old, each at an age of its own between three quarters of the maximum and all of it. So no
 * instance, proxy or load balancer keeps its share of the clients indefinitely. One timer, whatever the number of streams.
 */
export class StreamAges<S extends Aging> {
  readonly #slots = new Map<number, Set<S>>()
  readonly #maxSlots: number
  readonly #timer: NodeJS.Timeout | undefined
  #now = 0

  /** `maxAgeMs` 0: they may become as old as they like. `failed` is told what `end` throws. */
  constructor(maxAgeMs: number, end: (stream: S) => void, failed: (error: unknown) => void) {
    const slotMs = Math.min(SLOT_MS, maxAgeMs / MIN_SLOTS)
    this.#maxSlots = maxAgeMs === 0 ? 0 : Math.floor(maxAgeMs / slotMs)
    if (maxAgeMs === 0) return
    this.#timer = setInterval(() => {
      const due = this.#slots.get(++this.#now)
      this.#slots.delete(this.#now)
      for (const stream of due ?? []) {
        try {
          end(stream)
        } catch (error) {
          failed(error)
        }
      }
    }, slotMs)
    this.#timer.unref()
  }

  add(stream: S): void {
    if (this.#maxSlots === 0) return
    const slots = this.#maxSlots * (1 - JITTER * Math.random())
    stream.slot = this.#now + Math.max(1, Math.round(slots))
    const slot = this.#slots.get(stream.slot)
    if (slot) slot.add(stream)
    else this.#slots.set(stream.slot, new Set([stream]))
  }

  remove(stream: S): void {
    const slot = this.#slots.get(stream.slot)
    slot?.delete(stream)
    if (slot?.size === 0) this.#slots.delete(stream.slot)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
