import type { Positions } from '../../event.ts'

/** What a fetch brought for one partition, in numbers. */
export interface Fetched {
  readonly topic: string
  readonly partition: number
  /** The offset that was asked for. */
  readonly fetchedOffset: number
  /** The offset after the last record batch that came, if any did. */
  readonly nextOffset: number
  /** The broker holds nothing at `fetchedOffset`. */
  readonly outOfRange: boolean
}

/**
 * - `deliver`: it was fetched from where the reader stands, and moves it on.
 * - `seek`: it was fetched from elsewhere (a fetch that raced a seek, a position that kafkajs reset): fetch again.
 * - `look`: the broker holds nothing at the wanted offset: look what it does hold.
 */
export type Verdict = 'deliver' | 'seek' | 'look'

export interface WantedOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/**
 * The next wanted offset of every partition: the one truth about where the reader stands, whatever the consumer or
 * its group think. It moves by what was delivered and by gaps, and by nothing else.
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

  /** Wants the partitions that are not known yet from 0, and returns them. */
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
