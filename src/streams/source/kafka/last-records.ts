import type { FetchedRecords } from '../port.ts'

/** Fingerprint of a delivered record: a recreated log is unlikely to have the same at its offset. */
export interface LastRecord {
  readonly offset: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
}

interface Remembered {
  offset: number
  timestamp: number
  /** Number of breaks when the log was last verified. */
  breaks: number
}

/**
 * The last delivered record of each partition, and whether there was a break since. A break is any interruption of
 * reading during which the topic may have been recreated. After one, the log has to be compared with the record.
 */
export class LastRecords {
  readonly #topics = new Map<string, Map<number, Remembered>>()
  #breaks = 0

  /** Number of breaks of all partitions. */
  get breaks(): number {
    return this.#breaks
  }

  /** Marks a break of every partition. */
  breakAll(): void {
    this.#breaks++
  }

  /** Marks a break of one partition. */
  break(topic: string, partition: number): void {
    const last = this.#get(topic, partition)
    if (last) last.breaks = -1
  }

  /** Remembers the last record of a batch that is being delivered. */
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

  /** Reading continues in another log, or after the record was deleted. */
  forget(topic: string, partition: number): void {
    this.#topics.get(topic)?.delete(partition)
  }

  /**
   * The record with which the log has to be compared before the next delivery; undefined: not needed, or not possible.
   */
  doubted(topic: string, partition: number): LastRecord | undefined {
    const last = this.#get(topic, partition)
    return last && last.breaks !== this.#breaks ? last : undefined
  }

  /** The log was verified after that many breaks. */
  trust(topic: string, partition: number, breaks: number): void {
    const last = this.#get(topic, partition)
    if (last) last.breaks = breaks
  }

  #get(topic: string, partition: number): Remembered | undefined {
    return this.#topics.get(topic)?.get(partition)
  }
}

/**
 * - `same`: the record is at its offset.
 * - `another`: a different record is at its offset.
 * - `shorter`: the log ends before the wanted offset, so that either may be true.
 * - `unknown`: no record is at its offset any more (retention, compaction).
 */
export type Likeness = 'same' | 'another' | 'shorter' | 'unknown'

/** Compares a log with a delivered record. `fetched` is the log from the record's offset on. */
export function compare(fetched: FetchedRecords, { offset, timestamp }: LastRecord, wanted: number): Likeness {
  const record = fetched.kind === 'records' ? fetched.records.find((each) => each.offset === offset) : undefined
  // Records of the oldest format have no timestamp, which is NaN on both sides.
  if (record) return Object.is(record.timestamp, timestamp) ? 'same' : 'another'
  const end = fetched.kind === 'records' ? fetched.endOffset : fetched.range.next
  return end < wanted ? 'shorter' : 'unknown'
}
