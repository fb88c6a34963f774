import type { FetchedRecords } from '../port.ts'

/** A record that was delivered, in numbers: another log of the same name will hardly have the same in its place. */
export interface LastRecord {
  readonly offset: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
}

interface Remembered {
  offset: number
  timestamp: number
  /** How many breaks there had been when the log was last known to be the one that is read. */
  breaks: number
}

/**
 * The last record delivered of each partition, and whether reading of it has been broken off since: a break is
 * whatever may have hidden that the partition became another log. After one, the log is to be compared with the record.
 */
export class LastRecords {
  readonly #topics = new Map<string, Map<number, Remembered>>()
  #breaks = 0

  /** How many breaks there have been of all partitions. */
  get breaks(): number {
    return this.#breaks
  }

  /** Reading of every partition was broken off. */
  breakAll(): void {
    this.#breaks++
  }

  /** Reading of this one was. */
  break(topic: string, partition: number): void {
    const last = this.#get(topic, partition)
    if (last) last.breaks = -1
  }

  /** The last record of a batch that is being delivered. */
  remember(topic: string, partition: number, { offset, timestamp }: LastRecord): void {
    const last = this.#get(topic, partition)
    if (last) {
      last.offset = offset
      last.timestamp = timestamp
      return
    }
    const partitions = this.#topics.get(topic) ?? new Map<number, Remembered>()
    this.#topics.set(topic, partitions.set(partition, { offset, timestamp, breaks: this.#breaks }))
  }

  /** Reading goes on in another log, or where the record has gone. */
  forget(topic: string, partition: number): void {
    this.#topics.get(topic)?.delete(partition)
  }

  /** What the log is to be compared with before more of it is delivered; undefined: it need not, or cannot be. */
  doubted(topic: string, partition: number): LastRecord | undefined {
    const last = this.#get(topic, partition)
    return last && last.breaks !== this.#breaks ? last : undefined
  }

  /** The log was compared after that many breaks. */
  trust(topic: string, partition: number, breaks: number): void {
    const last = this.#get(topic, partition)
    if (last) last.breaks = breaks
  }

  #get(topic: string, partition: number): Remembered | undefined {
    return this.#topics.get(topic)?.get(partition)
  }
}

/**
 * - `same`: the record is where it was.
 * - `another`: there is another record in its place.
 * - `shorter`: the log ends before the wanted offset, so that it may be any of them.
 * - `unknown`: there is no record in its place any more (retention, compaction).
 */
export type Likeness = 'same' | 'another' | 'shorter' | 'unknown'

/** Compares a log with a record it should have. `fetched` is what it has from the record's offset on. */
export function compare(fetched: FetchedRecords, { offset, timestamp }: LastRecord, wanted: number): Likeness {
  const record = fetched.kind === 'records' ? fetched.records.find((each) => each.offset === offset) : undefined
  // The oldest format of records has no timestamps, which then is NaN on both sides.
  if (record) return Object.is(record.timestamp, timestamp) ? 'same' : 'another'
  const end = fetched.kind === 'records' ? fetched.endOffset : fetched.range.next
  return end < wanted ? 'shorter' : 'unknown'
}
