import { crc32 } from 'node:zlib'
import { decompress, NONE, ZSTD } from './compression.ts'
import { int64At, offsetAt } from './integers.ts'
import { type BatchView, NO_HEADERS_AT, RecordView } from './record-view.ts'
import type { Steps } from './steps.ts'
import { Corrupt } from './undecodable.ts'
import type { WantedRecords } from './wanted-records.ts'

/** Positions in a message. Its key follows the timestamp, which format 0 does not have. */
const SIZE = 8
const AFTER_SIZE = 12
const CRC = 12
const MAGIC = 16
const ATTRIBUTES = 17
const TIMESTAMP = 18
const KEY = [18, 26] as const

const COMPRESSION = 0x07
const LOG_APPEND_TIME = 0x08
const NO_TIMESTAMP = -1

/** Messages of a step, each a unit of work. */
const STEP_MESSAGES = 256

/**
 * A message of format 0 or 1, of Kafka before 0.11: a record, or a compressed set of messages, with the offset of the
 * last one. https://kafka.apache.org/documentation/#messageset
 */
export class Message {
  readonly leaderEpoch = -1
  readonly lastOffset: number
  readonly timestamp: number
  readonly #bytes: Buffer
  readonly #magic: 0 | 1
  readonly #attributes: number
  readonly #key: Field
  readonly #value: Field

  /** It is at `at` up to `end` of the bytes. @throws Corrupt */
  constructor(bytes: Buffer, at: number, end: number) {
    this.#magic = bytes[at + MAGIC] === 0 ? 0 : 1
    const keyAt = at + KEY[this.#magic]
    if (end - keyAt < 8) throw new Corrupt('it is shorter than its header')
    if (bytes.readUInt32BE(at + CRC) !== crc32(bytes.subarray(at + MAGIC, end))) {
      throw new Corrupt('its checksum is wrong')
    }
    this.#bytes = bytes
    this.#attributes = bytes[at + ATTRIBUTES] as number
    this.lastOffset = offsetAt(bytes, at)
    this.timestamp = this.#magic === 0 ? NO_TIMESTAMP : int64At(bytes, at + TIMESTAMP)
    this.#key = fieldAt(bytes, keyAt, end)
    this.#value = fieldAt(bytes, this.#key.end, end)
    if (this.#value.end !== end) throw new Corrupt('it has not the length that it says')
  }

  /** Undefined: it is compressed. */
  get firstOffset(): number | undefined {
    return this.#compression === NONE ? this.lastOffset : undefined
  }

  *decode(wanted: WantedRecords): Steps<void> {
    if (this.#compression === NONE) this.#addTo(wanted, this.#viewOf(this.#bytes, 0, wanted))
    else yield* this.#decompress(wanted)
  }

  get #compression(): number {
    return this.#attributes & COMPRESSION
  }

  *#decompress(wanted: WantedRecords): Steps<void> {
    if (this.#value.length < 0) throw new Corrupt('it is compressed, but has no value')
    if (this.#compression === ZSTD) throw new Corrupt('its format does not know Zstandard')
    const bytes = yield* decompress(this.#compression, this.#bytes.subarray(this.#value.at, this.#value.end))
    wanted.decompressedBytes += bytes.length
    // Offsets of format 1 count from the first message that was sent, which compaction may have removed.
    const lastInner = lastOffsetOf(bytes)
    const baseOffset = this.#magic === 0 ? 0 : this.lastOffset - lastInner
    const view = this.#viewOf(bytes, baseOffset, wanted)
    let previous = wanted.nextOffset - 1
    for (let at = 0, left = STEP_MESSAGES; at < bytes.length; left--) {
      const message = this.#innerMessage(bytes, at)
      const offset = baseOffset + message.lastOffset
      if (offset <= previous || offset > this.lastOffset) throw new Corrupt('the offsets in it are not in order')
      if (offset >= wanted.limit) return
      message.#addTo(wanted, view)
      previous = offset
      at = message.#value.end
      if (left > 0) continue
      yield STEP_MESSAGES
      left = STEP_MESSAGES
    }
  }

  #innerMessage(bytes: Buffer, at: number): Message {
    if (bytes[at + MAGIC] !== this.#magic) throw new Corrupt('a message in it has another format')
    const message = new Message(bytes, at, endOfMessage(bytes, at))
    if (message.#compression !== NONE) throw new Corrupt('a message in it is compressed again')
    return message
  }

  #viewOf(bytes: Buffer, baseOffset: number, { partition }: WantedRecords): BatchView {
    const isLogAppendTime = this.#magic === 1 && (this.#attributes & LOG_APPEND_TIME) !== 0
    return { bytes, partition, baseOffset, baseTimestamp: isLogAppendTime ? this.timestamp : 0, isLogAppendTime }
  }

  /** Adds it as a record, if it is wanted. */
  #addTo(wanted: WantedRecords, view: BatchView): void {
    const offset = view.baseOffset + this.lastOffset
    if (offset < wanted.from || offset >= wanted.limit) return
    wanted.add(
      new RecordView(view, {
        offsetDelta: this.lastOffset,
        timestampDelta: this.timestamp,
        keyAt: this.#key.at,
        keyLength: this.#key.length,
        valueAt: this.#value.at,
        valueLength: this.#value.length,
        headersAt: NO_HEADERS_AT,
      }),
    )
  }
}

function endOfMessage(bytes: Buffer, at: number): number {
  const size = at + AFTER_SIZE <= bytes.length ? bytes.readInt32BE(at + SIZE) : -1
  const end = at + AFTER_SIZE + size
  if (size < 0 || end > bytes.length) throw new Corrupt('a message in it reaches beyond its end')
  return end
}

/** Offset of the last message of a set. */
function lastOffsetOf(bytes: Buffer): number {
  let last = -1
  for (let at = 0; at < bytes.length; at = endOfMessage(bytes, at)) last = at
  if (last < 0) throw new Corrupt('it is compressed, but has no messages')
  return offsetAt(bytes, last)
}

interface Field {
  readonly at: number
  /** -1: null. */
  readonly length: number
  readonly end: number
}

function fieldAt(bytes: Buffer, at: number, messageEnd: number): Field {
  const length = at + 4 <= messageEnd ? bytes.readInt32BE(at) : Number.NaN
  const end = at + 4 + Math.max(0, length)
  if (!(end <= messageEnd)) throw new Corrupt('a field in it reaches beyond its end')
  return { at: at + 4, length, end }
}
