import type { Vector } from '../cursor/vector.ts'
import { Chain, type Link } from './chain.ts'

/** The place of an event that is held. */
export interface Place {
  readonly partition: number
  readonly offset: number
}

/** An offset among those that are held. */
export type HeldOffset = Link<Place>

/** The offsets of held events, by partition: no position may pass the first of them. */
export class HeldOffsets {
  readonly #partitions: (Chain<Place> | undefined)[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Events of a partition have to be added in the order of their offsets. */
  add(place: Place): HeldOffset {
    let chain = this.#partitions[place.partition]
    if (!chain) {
      chain = new Chain()
      this.#partitions[place.partition] = chain
    }
    this.#size++
    return chain.append(place)
  }

  remove(held: HeldOffset): void {
    this.#partitions[held.value.partition]?.remove(held)
    this.#size--
  }

  /** The position that passes nothing held: by partition the given one, or the first held offset below it. */
  below(position: Vector): Vector {
    let below: number[] | undefined
    for (let partition = 0; this.#size > 0 && partition < this.#partitions.length; partition++) {
      const first = this.#partitions[partition]?.first
      if (!first || first.offset >= (position[partition] ?? 0)) continue
      below ??= [...position]
      below[partition] = first.offset
    }
    return below ?? position
  }
}
