import type { Vector } from '../../src/streams/cursor/vector.ts'
import type { Asked } from '../kit/two-instances.ts'
import type { LogHistory, Written } from './history.ts'

/** What a client with a throttle was shown, and whether it may have been left out what it was not. */
export class Shown {
  readonly #history: LogHistory
  readonly #asked: Asked
  /** By the event's number: the newest event at the time when it was last shown. */
  readonly #at = new Map<number, number>()
  #position: Vector = []
  /** The newest event that the stream need not show. */
  #before = 0

  constructor(history: LogHistory, asked: Asked) {
    this.#history = history
    this.#asked = asked
  }

  /** A stream begins. What was there before is not shown to who asks for what comes from now on. */
  connected(isNow: boolean): void {
    this.#before = isNow ? this.#history.newest : 0
  }

  /** The position that the client is told. */
  isAt(position: Vector): void {
    this.#position = position
  }

  /** @throws Error for an event that the client's position has passed. */
  take({ partition, offset, paint }: Written): void {
    const passed = this.#position[partition] ?? 0
    if (offset < passed) throw new Error(`Event ${paint?.n}, ${partition}:${offset}, came after ${passed}`)
    if (paint) this.#at.set(paint.n, this.#history.newest)
  }

  /** Whether an event behind the position was neither shown, nor is there a later one of its key that was or will be. */
  misses(written: Written): boolean {
    const { paint } = written
    if (!paint || paint.n <= this.#before || this.#at.has(paint.n) || this.#asked.throttled?.mode === 'FIRST')
      return false
    const key = this.#keyOf(paint)
    for (const other of this.#history.events) {
      if (other === written || !other.paint || !this.#asked.matches(other.paint)) continue
      if (this.#keyOf(other.paint) !== key) continue
      const isLater = other.partition !== written.partition || other.offset > written.offset
      const isToCome = other.offset >= (this.#position[other.partition] ?? 0)
      if (isLater && (isToCome || (this.#at.get(other.paint.n) ?? -1) >= paint.n)) return false
    }
    return true
  }

  #keyOf(paint: NonNullable<Written['paint']>): unknown {
    return this.#asked.throttled?.keyOf(paint)
  }
}
