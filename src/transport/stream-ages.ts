/** Jitter, as a part of the maximum age: streams that start together, as after a restart, end at different times. */
const JITTER = 0.25
/** Resolution of ends: a thousandth of the jitter, with an age of an hour. */
const SLOT_MS = 1_000
const MIN_SLOTS = 40

interface Aging {
  /** Number of the slot in which the stream ends. */
  slot: number
}

/**
 * Ends streams by age, each at a random age between three quarters of the maximum and the maximum. Clients are thereby
 * redistributed over instances, proxies and load balancers. One timer serves all streams.
 */
export class StreamAges<S extends Aging> {
  readonly #slots = new Map<number, Set<S>>()
  readonly #maxSlots: number
  readonly #timer: NodeJS.Timeout | undefined
  #now = 0

  /** `maxAgeMs` 0: no maximum. `failed` is called with what `end` throws. */
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
