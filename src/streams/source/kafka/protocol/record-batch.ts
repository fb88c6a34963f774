import { decompress, NONE } from './compression.ts'
import { crc32c } from './crc32c.ts'
import { int64At, offsetAt } from './integers.ts'
import { RecordReader } from './record-reader.ts'
import type { BatchView } from './record-view.ts'
import type { Steps } from './steps.ts'
import { Corrupt } from './undecodable.ts'
import { WantedRecords } from './wanted-records.ts'

/** Positions in a batch. https://kafka.apache.org/documentation/#recordbatch */
const LEADER_EPOCH = 12
const CRC = 17
const ATTRIBUTES = 21
const LAST_OFFSET_DELTA = 23
const BASE_TIMESTAMP = 27
const MAX_TIMESTAMP = 35
const PRODUCER_ID = 43
const COUNT = 57
const RECORDS = 61

/** Attributes. Bit 6 says that the base timestamp was moved by compaction: records are relative to it all the same. */
const COMPRESSION = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20

/** Records of a step. */
const STEP_RECORDS = 1024
/** Records for which a unit of work is counted. */
const UNIT_RECORDS_LOG_2 = 4

/** A record batch of format 2, that of Kafka 0.11 and newer. */
export class RecordBatch {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly #set: Buffer
  readonly #at: number
  readonly #end: number
  readonly #attributes: number

  /** It is at `at` up to `end` of the set. @throws Corrupt */
  constructor(set: Buffer, at: number, end: number) {
    if (end - at < RECORDS) throw new Corrupt('it is shorter than its header')
    if (set.readUInt32BE(at + CRC) !== crc32c(set, at + ATTRIBUTES, end)) throw new Corrupt('its checksum is wrong')
    const lastOffsetDelta = set.readInt32BE(at + LAST_OFFSET_DELTA)
    if (lastOffsetDelta < 0) throw new Corrupt('it ends before its first record')
    this.#set = set
    this.#at = at
    this.#end = end
    this.#attributes = set.readInt16BE(at + ATTRIBUTES)
    this.firstOffset = offsetAt(set, at)
    this.lastOffset = this.firstOffset + lastOffsetDelta
  }

  get leaderEpoch(): number {
    return this.#set.readInt32BE(this.#at + LEADER_EPOCH)
  }

  get isTransactional(): boolean {
    return (this.#attributes & TRANSACTIONAL) !== 0
  }

  get isControl(): boolean {
    return (this.#attributes & CONTROL) !== 0
  }

  get producerId(): bigint {
    return this.#set.readBigInt64BE(this.#at + PRODUCER_ID)
  }

  /** Of a control batch: the key of its first record, which says what it marks; null, if compaction has removed it. */
  *markerKey(): Steps<Buffer | null> {
    const all = new WantedRecords(0, this.firstOffset, this.lastOffset + 1)
    yield* this.decode(all)
    return all.records[0]?.key ?? null
  }

  *decode(wanted: WantedRecords): Steps<void> {
    const count = this.#set.readInt32BE(this.#at + COUNT)
    if (count < 0) throw new Corrupt('it has a negative number of records')
    if (count === 0) return // compaction has removed them
    const { bytes, start, end } = yield* this.#records(wanted)
    const lastOffsetDelta = this.lastOffset - this.firstOffset
    const reader = new RecordReader(this.#viewOf(bytes, wanted.partition), lastOffsetDelta, start, end)
    for (let left = count; left > 0; left -= STEP_RECORDS) {
      const some = Math.min(left, STEP_RECORDS)
      if (!reader.read(some, wanted)) return
      yield some >> UNIT_RECORDS_LOG_2
    }
    if (!reader.isAtEnd) throw new Corrupt('it goes on after its last record')
  }

  *#records(wanted: WantedRecords): Steps<{ readonly bytes: Buffer; readonly start: number; readonly end: number }> {
    const compression = this.#attributes & COMPRESSION
    const start = this.#at + RECORDS
    if (compression === NONE) return { bytes: this.#set, start, end: this.#end }
    const bytes = yield* decompress(compression, this.#set.subarray(start, this.#end))
    wanted.decompressedBytes += bytes.length
    return { bytes, start: 0, end: bytes.length }
  }

  #viewOf(bytes: Buffer, partition: number): BatchView {
    const isLogAppendTime = (this.#attributes & LOG_APPEND_TIME) !== 0
    return {
      bytes,
      partition,
      baseOffset: this.firstOffset,
      baseTimestamp: int64At(this.#set, this.#at + (isLogAppendTime ? MAX_TIMESTAMP : BASE_TIMESTAMP)),
      isLogAppendTime,
    }
  }
}
