import { Arena } from '../../../memory/arena.ts'
import type { RawRecord } from '../../event.ts'
import { SCANS } from '../../turn-budget.ts'
import { type OutgoingRecord, SourceUnavailable } from '../port.ts'

/** Overhead of a record in a fetch, about as in Kafka: it bounds the number of records in a fetch. */
const RECORD_OVERHEAD_BYTES = 10

/** A topic of the embedded log. */
export class TopicLog {
  readonly partitions: PartitionLog[] = []
  #roundRobin = 0

  constructor(partitions: number) {
    this.grow(partitions)
  }

  grow(total: number): void {
    while (this.partitions.length < total) this.partitions.push(new PartitionLog(this.partitions.length))
  }

  append(record: OutgoingRecord): void {
    const log = this.partitions[record.partition ?? this.#partitionOf(record.key)]
    if (!log) throw new SourceUnavailable(`Partition ${record.partition} does not exist`)
    log.append(record)
  }

  /** Retention: deletes the oldest records of the largest partition until the topic fits. */
  retain(maxBytes: number): void {
    let bytes = this.partitions.reduce((sum, log) => sum + log.bytes, 0)
    while (bytes > maxBytes) {
      const fullest = this.partitions.reduce((most, log) => (log.bytes > most.bytes ? log : most))
      bytes -= fullest.bytes
      fullest.deleteBefore(fullest.earliest + 1)
      bytes += fullest.bytes
    }
  }

  #partitionOf(key: string | null): number {
    if (key === null) return this.#roundRobin++ % this.partitions.length
    let hash = 0
    for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0
    return (hash >>> 0) % this.partitions.length
  }
}

export class PartitionLog {
  readonly partition: number
  bytes = 0
  earliest = 0
  readonly #arena = new Arena()
  /** Records from `#base` on. The slots below `earliest` are empty, and are compacted in batches. */
  #records: (RawRecord | undefined)[] = []
  #base = 0

  constructor(partition: number) {
    this.partition = partition
  }

  get next(): number {
    return this.#base + this.#records.length
  }

  append({ key, value, headers, timestamp }: OutgoingRecord): void {
    const record: RawRecord = {
      partition: this.partition,
      offset: this.next,
      timestamp: timestamp ?? Date.now(),
      key: key === null ? null : this.#arena.keep(key),
      value: value === null ? null : this.#arena.keep(value),
      headers,
    }
    this.#records.push(record)
    this.bytes += sizeOf(record)
  }

  slice(offset: number, count: number): RawRecord[] {
    return this.#held(offset, offset - this.#base + count)
  }

  /** The records of this many bytes, and the first in any case. */
  sliceOfBytes(offset: number, maxBytes: number): RawRecord[] {
    let end = offset - this.#base
    for (let bytes = 0; end < this.#records.length; end++) {
      bytes += sizeOf(this.#records[end] as RawRecord) + RECORD_OVERHEAD_BYTES
      if (bytes > maxBytes && end > offset - this.#base) break
    }
    return this.#held(offset, end)
  }

  /** `offset` is not below the earliest. `end`: a slot. */
  #held(offset: number, end: number): RawRecord[] {
    return this.#records.slice(offset - this.#base, end) as RawRecord[]
  }

  /** Offset of the first record with that timestamp or a later one. The search may take several turns. */
  async offsetAt(timestamp: number): Promise<number> {
    let offset = this.earliest
    for (;;) {
      SCANS.begin()
      try {
        for (offset = Math.max(offset, this.earliest); offset < this.next; offset++) {
          if ((this.#records[offset - this.#base] as RawRecord).timestamp >= timestamp) return offset
          if (SCANS.isUsedUp()) break
        }
      } finally {
        SCANS.end()
      }
      if (offset >= this.next) return this.next
      await SCANS.next()
    }
  }

  deleteBefore(before: number): void {
    const end = Math.min(before, this.next)
    for (; this.earliest < end; this.earliest++) {
      const slot = this.earliest - this.#base
      this.bytes -= sizeOf(this.#records[slot] as RawRecord)
      this.#records[slot] = undefined
    }
    if (this.earliest - this.#base > this.#records.length / 2) {
      this.#records = this.#records.slice(this.earliest - this.#base)
      this.#base = this.earliest
    }
  }
}

function sizeOf(record: RawRecord): number {
  return (record.key?.length ?? 0) + (record.value?.length ?? 0)
}
