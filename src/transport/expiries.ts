import { Sliced } from '../delivery/group/sliced.ts'
import type { StreamObserver } from './stream-observer.ts'
import type { StreamSocket } from './stream-socket.ts'

/**
 * Spread of the ends of streams whose credentials expire at the same moment, as all tokens of one batch do: 10,000 come
 * back at 2,000 a second, which one core serves. It is the time that expired credentials may go on.
 */
export const EXPIRY_SPREAD_MS = 5_000
/** Resolution of ends: a fiftieth of the spread. */
const SLOT_MS = 100

/** A stream that can be ended. */
export interface Expiring {
  leave(reason: 'expired'): void
}

/**
 * Ends streams when their credentials have expired, each a random moment later. Time is the system's clock, which is
 * looked at every `SLOT_MS`: credentials may be valid for years, which is more than a timer can wait, and the clock may
 * be set. Streams that do not expire are not kept here, and without others there is no timer.
 */
export class Expiries implements StreamObserver {
  readonly #slots = new Map<number, Set<Expiring>>()
  readonly #slotOf = new Map<Expiring, number>()
  readonly #ends: Sliced<Expiring>
  #timer: NodeJS.Timeout | undefined
  /** The last slot whose streams were ended. */
  #last = 0

  /** @param failed is called with what `leave` throws. */
  constructor(failed: (error: unknown) => void) {
    this.#ends = new Sliced<Expiring>(
      (stream) => this.#end(stream),
      (_stream, error) => failed(error),
    )
  }

  /** Number of open streams that expire. */
  get size(): number {
    return this.#slotOf.size
  }

  opened(stream: StreamSocket): void {
    const { expiresAt } = stream.owner.identity.principal
    if (expiresAt !== undefined) this.set(stream, expiresAt)
  }

  closed(stream: StreamSocket): void {
    if (this.#slotOf.size > 0) this.set(stream, undefined)
  }

  /**
   * Says when an open stream expires, in ms since the epoch and with the tolerance of clocks, also if it was said before;
   * undefined: it does not.
   */
  set(stream: Expiring, expiresAt: number | undefined): void {
    const known = this.#slotOf.get(stream)
    if (known !== undefined) this.#remove(stream, known)
    if (expiresAt === undefined) {
      if (this.#slotOf.size === 0) this.#stop()
      return
    }
    if (!this.#timer) this.#start()
    const due = expiresAt + EXPIRY_SPREAD_MS * Math.random()
    // What has expired already is spread as well: clients may come back with such credentials all at once.
    const slot = slotAt(Math.max(due, Date.now() + EXPIRY_SPREAD_MS * Math.random())) + 1
    this.#slotOf.set(stream, slot)
    const streams = this.#slots.get(slot)
    if (streams) streams.add(stream)
    else this.#slots.set(slot, new Set([stream]))
  }

  #start(): void {
    this.#last = slotAt(Date.now())
    this.#timer = setInterval(() => this.#tick(), SLOT_MS)
    this.#timer.unref()
  }

  #stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    const now = slotAt(Date.now())
    // The clock may have been set forward by years, or back.
    const isSet = now < this.#last || now - this.#last > this.#slots.size
    const passed = isSet ? [...this.#slots.keys()] : range(this.#last + 1, now)
    this.#last = now
    for (const slot of passed) {
      const due = slot <= now && this.#slots.get(slot)
      if (due) this.#ends.add([...due])
    }
  }

  #end(stream: Expiring): void {
    const slot = this.#slotOf.get(stream)
    // It may have closed, or been prolonged, while it waited for its turn.
    if (slot === undefined || slot > slotAt(Date.now())) return
    this.set(stream, undefined)
    stream.leave('expired')
  }

  #remove(stream: Expiring, slot: number): void {
    this.#slotOf.delete(stream)
    const streams = this.#slots.get(slot)
    streams?.delete(stream)
    if (streams?.size === 0) this.#slots.delete(slot)
  }
}

function slotAt(time: number): number {
  return Math.floor(time / SLOT_MS)
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
}
