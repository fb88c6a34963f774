import { UNKNOWN, type Vector } from '../cursor/vector.ts'
import type { Positions } from '../event.ts'
import type { PartitionRange } from '../source/port.ts'

/** Positions and end offsets of a topic, by partition. */
export class Heads {
  readonly #next: number[] = []
  readonly #ends: number[] = []
  /** End offsets at the start: the feed is ready when these have been passed. */
  readonly #targets: number[] = []
  /** When each position last moved, in ms since the epoch. */
  readonly #movedAt: number[] = []
  #moves = 0

  /** Next wanted offset of each partition. */
  get next(): Vector {
    return this.#next
  }

  /** End offset of each partition, as last reported by the source. */
  get ends(): Vector {
    return this.#ends
  }

  /** Number of moves of any position. */
  get moves(): number {
    return this.#moves
  }

  /** Lag against the start; infinite before `begin`. */
  get behind(): number {
    if (this.#targets.length === 0) return Number.POSITIVE_INFINITY
    return this.#targets.reduce((sum, target, partition) => sum + Math.max(0, target - this.of(partition)), 0)
  }

  /** Time since each position last moved, in ms. Quiet partitions are long there. */
  idleMs(now: number): number[] {
    return this.#movedAt.map((at) => Math.max(0, now - at))
  }

  /** End offsets at which the feed is ready. New partitions are the reader's to discover. */
  aimAt(targets: Positions): void {
    for (const [partition, target] of targets) {
      this.sawEnd(partition, target)
      if (partition < this.#next.length) this.#targets[partition] = target
    }
  }

  begin(ranges: readonly PartitionRange[], from: Positions): void {
    for (const { partition, next } of ranges) {
      this.move(partition, from.get(partition) ?? 0)
      this.movedNow(partition, Date.now())
      this.#ends[partition] = next
      this.#targets[partition] = next
    }
  }

  of(partition: number): number {
    return this.#next[partition] ?? UNKNOWN
  }

  move(partition: number, offset: number): void {
    if (partition >= this.#next.length) this.know(partition)
    this.#next[partition] = offset
    this.#moves++
  }

  /** For `idleMs`: once a batch. */
  movedNow(partition: number, now: number): void {
    this.know(partition)
    this.#movedAt[partition] = now
  }

  /** Of a partition that is known: the reader discovers the others. */
  sawEnd(partition: number, end: number): void {
    if (partition < this.#ends.length) this.#ends[partition] = end
  }

  /** Adds a partition at offset 0, if it is not known. True: it is new. */
  know(partition: number): boolean {
    const isNew = this.#next.length <= partition
    while (this.#next.length <= partition) {
      this.#next.push(UNKNOWN)
      this.#ends.push(0)
      this.#movedAt.push(Date.now())
      this.#moves++
    }
    return isNew
  }
}
