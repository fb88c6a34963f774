import { type BatchView, NO_HEADERS_AT, RecordView } from './record-view.ts'
import { Corrupt } from './undecodable.ts'
import { VarintReader } from './varint.ts'
import type { WantedRecords } from './wanted-records.ts'

/** Reads the records of a batch one after another. https://kafka.apache.org/documentation/#record */
export class RecordReader {
  readonly #batch: BatchView
  readonly #lastOffsetDelta: number
  readonly #end: number
  readonly #numbers: VarintReader
  #previousDelta = -1

  /** The records are at `start` up to `end` of the batch's bytes. */
  constructor(batch: BatchView, lastOffsetDelta: number, start: number, end: number) {
    this.#batch = batch
    this.#lastOffsetDelta = lastOffsetDelta
    this.#end = end
    this.#numbers = new VarintReader(batch.bytes, start)
  }

  get isAtEnd(): boolean {
    return this.#numbers.at === this.#end
  }

  /** Reads so many records, and adds those that are wanted. False: the next ones are not wanted. */
  read(count: number, wanted: WantedRecords): boolean {
    const batch = this.#batch
    const numbers = this.#numbers
    const end = this.#end
    const minDelta = wanted.from - batch.baseOffset
    let previousDelta = this.#previousDelta
    for (let left = count; left > 0; left--) {
      const length = numbers.int()
      const recordEnd = numbers.at + length
      if (length < 0 || recordEnd > end) throw new Corrupt('a record reaches beyond its end')
      numbers.at++ // attributes, of which there are none yet
      const timestampDelta = numbers.long()
      const offsetDelta = numbers.int()
      if (offsetDelta <= previousDelta || offsetDelta > this.#lastOffsetDelta) {
        throw new Corrupt('the offsets of its records are not in order')
      }
      previousDelta = offsetDelta
      const keyLength = numbers.int()
      const keyAt = numbers.at
      if (keyLength > 0) numbers.at = keyAt + keyLength
      const valueLength = numbers.int()
      const valueAt = numbers.at
      if (valueLength > 0) numbers.at = valueAt + valueLength
      const headersAt = numbers.at
      const headers = numbers.int()
      if (headers !== 0) skipHeaders(numbers, headers, recordEnd)
      if (numbers.at !== recordEnd) throw new Corrupt('a record in it has not the length that it says')
      if (offsetDelta < minDelta) continue
      if (batch.baseOffset + offsetDelta >= wanted.limit) return false
      wanted.add(
        new RecordView(batch, {
          offsetDelta,
          timestampDelta,
          keyAt,
          keyLength,
          valueAt,
          valueLength,
          headersAt: headers === 0 ? NO_HEADERS_AT : headersAt,
        }),
      )
    }
    this.#previousDelta = previousDelta
    return true
  }
}

/** Each header takes at least two bytes, so that the loop ends. */
function skipHeaders(numbers: VarintReader, count: number, end: number): void {
  if (count < 0 || count > end - numbers.at) throw new Corrupt('a record in it has an impossible number of headers')
  for (let left = count; left > 0; left--) {
    const nameLength = numbers.int()
    if (nameLength < 0) throw new Corrupt('a header in it has no name')
    numbers.at += nameLength
    const valueLength = numbers.int()
    if (valueLength > 0) numbers.at += valueLength
    if (numbers.at > end) throw new Corrupt('a header in it reaches beyond its record')
  }
}
