import type { Vector } from '../cursor/vector.ts'

/**
 * Margin, as a part of the time for which tombstones are kept: the time of a position is that of one partition, and
 * others may have been read later; clocks differ.
 */
const MARGIN = 1 / 8
/** A time further ahead than this is none: some producers stamp in microseconds. */
const MAX_AHEAD_MS = 24 * 3600 * 1000

/**
 * Judges whether a position is too old for a table: whether rows may have been removed since then of which no tombstone
 * was left when the table was loaded.
 */
export class Age {
  readonly #tombstonesMs: number
  /** By partition the offset from which on nothing had been compacted away. */
  #wholeFrom: number[] = []
  #loadedAt = 0

  constructor(tombstonesMs: number) {
    this.#tombstonesMs = tombstonesMs
  }

  clear(): void {
    this.#wholeFrom = []
  }

  wholeFrom(partition: number, offset: number): void {
    while (this.#wholeFrom.length <= partition) this.#wholeFrom.push(0)
    this.#wholeFrom[partition] = offset
  }

  loaded(now: number): void {
    this.#loadedAt = now
  }

  /**
   * `time`: that of the position, in ms since the epoch, if it is known. `floors`: by partition the offset below which
   * removals have been forgotten since the load.
   */
  isTooOld(vector: Vector, time: number | undefined, floors: Vector): boolean {
    const isYoung = time !== undefined && this.#isYoung(time)
    const partitions = Math.max(floors.length, this.#wholeFrom.length)
    for (let partition = 0; partition < partitions; partition++) {
      const wanted = Math.max(0, vector[partition] ?? 0)
      if (wanted < (floors[partition] ?? 0)) return true
      if (!isYoung && wanted < (this.#wholeFrom[partition] ?? 0)) return true
    }
    return false
  }

  #isYoung(time: number): boolean {
    return time >= this.#loadedAt - this.#tombstonesMs * (1 - MARGIN) && time <= this.#loadedAt + MAX_AHEAD_MS
  }
}
