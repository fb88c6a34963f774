import type { Vector } from '../cursor/vector.ts'
import type { StreamEvent } from '../event.ts'
import type { SeqList } from './seq-list.ts'

/**
 * Up to so many events for each partition are passed one by one. To pass more, the places in the partitions' lists are
 * searched for, which costs as much, however many.
 */
export const STEPS_EACH = 4

/** The window as a walk uses it. */
interface Walked<V> {
  at(seq: number): StreamEvent<V> | undefined
  vectorAt(seq: number, head: Vector): number[]
}

/** The positions after events of a window, in their order. Valid until the window changes. */
export class Walk<V> {
  readonly #window: Walked<V>
  readonly #lists: readonly SeqList[]
  readonly #head: Vector
  /** All before it have been passed. */
  #seq: number
  /** By partition: index of its first event from `#seq` on, and the event's offset. */
  readonly #places: number[]
  readonly #vector: number[]

  /** Begins before the event at `seq`. `lists` are those of the partitions; `head` is the position after all events. */
  constructor(window: Walked<V>, lists: readonly SeqList[], seq: number, head: Vector) {
    this.#window = window
    this.#lists = lists
    this.#head = head
    this.#seq = seq
    this.#places = lists.map((list) => list.indexOf(seq))
    this.#vector = window.vectorAt(seq, head)
  }

  /**
   * The position after an event that has not been passed: the next offset of every partition from there on. For a
   * partition without later events, its `head`. Returns the same array every time.
   */
  pass(seq: number): Vector {
    if (seq - this.#seq > STEPS_EACH * this.#lists.length) this.#jump(seq)
    while (this.#seq <= seq) this.#step()
    return this.#vector
  }

  #step(): void {
    const { partition } = this.#window.at(this.#seq++) as StreamEvent<V>
    const place = (this.#places[partition] as number) + 1
    this.#places[partition] = place
    this.#vector[partition] = this.#offsetAt(partition, place)
  }

  #jump(seq: number): void {
    for (let partition = 0; partition < this.#lists.length; partition++) {
      const place = (this.#lists[partition] as SeqList).indexOf(seq)
      this.#places[partition] = place
      this.#vector[partition] = this.#offsetAt(partition, place)
    }
    this.#seq = seq
  }

  #offsetAt(partition: number, place: number): number {
    const next = this.#lists[partition]?.at(place)
    return next === undefined ? (this.#head[partition] as number) : (this.#window.at(next) as StreamEvent<V>).offset
  }
}
