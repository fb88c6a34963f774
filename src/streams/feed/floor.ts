import type { Vector } from '../cursor/vector.ts'
import type { Gap } from '../event.ts'

/** By partition the offset before which a reader may read nothing. */
export class Floor {
  readonly #offsets: number[]

  constructor(offsets: Vector) {
    this.#offsets = [...offsets]
  }

  /** What a reader may not read from a position on: `wanted` is its next offset of each partition. */
  above(topic: string, wanted: (partition: number) => number): Gap[] {
    return this.#offsets.flatMap((to, partition): Gap[] => {
      const from = wanted(partition)
      return from < to ? [{ kind: 'gap', topic, partition, from, to, reason: 'history' }] : []
    })
  }

  /** The log ends here, or begins again: what it gets from here on is new. */
  lower(partition: number, offset: number): void {
    const known = this.#offsets[partition]
    if (known !== undefined) this.#offsets[partition] = Math.min(known, offset)
  }
}
