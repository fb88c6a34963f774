import type { Positions } from '../../event.ts'

/** Offsets of a fetched batch of one partition. */
export interface Fetched {
  readonly topic: string
  readonly partition: number
  /** The requested offset. */
  readonly fetchedOffset: number
  /** The offset after the last record batch of the response, if there was one. */
  readonly nextOffset: number
  /** The broker holds no record at `fetchedOffset`. */
  readonly outOfRange: boolean
}

/**
 * - `deliver`: the batch was fetched from the wanted offset, and moves it.
 * - `seek`: it was fetched from another offset (a fetch that raced a seek, a position that kafkajs reset): fetch again.
 * - `look`: the broker holds no record at the wanted offset: probe its offset range.
 */
export type Verdict = 'deliver' | 'seek' | 'look'

export interface WantedOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/**
 * The next wanted offset of every partition: the only authority on the reader's position, whatever the consumer or its
 * group hold. It is moved by deliveries and by gaps only.
 */
export class WantedOffsets {
  readonly #topics: ReadonlyMap<string, Map<number, number>>

  constructor(from: ReadonlyMap<string, Positions>) {
    this.#topics = new Map([...from].map(([topic, positions]) => [topic, new Map(positions)]))
  }

  get topics(): string[] {
    return [...this.#topics.keys()]
  }

  get(topic: string, partition: number): number | undefined {
    return this.#topics.get(topic)?.get(partition)
  }

  all(): WantedOffset[] {
    return [...this.#topics].flatMap(([topic, positions]) =>
      [...positions].map(([partition, offset]) => ({ topic, partition, offset })),
    )
  }

  /** Adds unknown partitions at offset 0, and returns them. */
  discover(topic: string, partitions: readonly number[]): number[] {
    const positions = this.#topics.get(topic)
    if (!positions) return []
    const found = partitions.filter((partition) => !positions.has(partition))
    for (const partition of found) positions.set(partition, 0)
    return found
  }

  judge({ topic, partition, fetchedOffset, nextOffset, outOfRange }: Fetched): Verdict {
    const wanted = this.get(topic, partition)
    if (wanted === undefined || fetchedOffset !== wanted) return 'seek'
    if (outOfRange) return 'look'
    return nextOffset >= wanted ? 'deliver' : 'seek'
  }

  moveTo(topic: string, partition: number, offset: number): void {
    this.#topics.get(topic)?.set(partition, offset)
  }
}
