import { MAX_SET_RECORDS } from './limits.ts'
import type { RecordView } from './record-view.ts'

/** The records that are wanted, and those found so far. */
export class WantedRecords {
  readonly partition: number
  readonly from: number
  /** Records from here on are not wanted. Lower than the caller's, once there are `MAX_SET_RECORDS`. */
  limit: number
  /** The offset after the last batch that was read. */
  nextOffset = 0
  readonly records: RecordView[] = []
  /** Of keys and values. */
  bytes = 0
  /** Of the decompressed batches. */
  decompressedBytes = 0

  constructor(partition: number, from: number, limit: number) {
    this.partition = partition
    this.from = from
    this.limit = limit
  }

  add(record: RecordView): void {
    this.bytes += record.bytes
    if (this.records.push(record) >= MAX_SET_RECORDS) this.limit = record.offset + 1
  }

  /** Removes the records after the first `count`. */
  truncate(count: number): void {
    for (const record of this.records.splice(count)) this.bytes -= record.bytes
  }
}
