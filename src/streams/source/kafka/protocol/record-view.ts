import type { RawHeaders, RawRecord } from '../../../event.ts'
import { VarintReader } from './varint.ts'

/** What the records of a batch share. */
export interface BatchView {
  /** The fetch response, or the decompressed batch. */
  readonly bytes: Buffer
  readonly partition: number
  readonly baseOffset: number
  /** Milliseconds since the epoch. */
  readonly baseTimestamp: number
  /** The base timestamp is that of all records, whatever they say themselves. */
  readonly isLogAppendTime: boolean
}

/** Positions of a record's fields in the bytes of its batch. */
export interface RecordFields {
  readonly offsetDelta: number
  readonly timestampDelta: number
  readonly keyAt: number
  /** Negative: the key is null. */
  readonly keyLength: number
  readonly valueAt: number
  /** Negative: the value is null. */
  readonly valueLength: number
  /** Position of the number of headers. */
  readonly headersAt: number
}

/** No headers: at position 0 there are none in any format. */
export const NO_HEADERS_AT = 0

const NULL = -1
const REPLACEMENT = '\ufffd'
const BYTE_ORDER_MARK = 0xfeff
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * A record as a view of the bytes that were fetched: it retains them, and is itself as small as can be. Key, value and
 * headers are made when they are asked for, each time.
 */
export class RecordView implements RawRecord {
  readonly #batch: BatchView
  readonly #offsetDelta: number
  readonly #timestampDelta: number
  readonly #keyAt: number
  readonly #keyLength: number
  readonly #valueAt: number
  readonly #headersAt: number
  readonly valueLength: number

  constructor(batch: BatchView, fields: RecordFields) {
    this.#batch = batch
    this.#offsetDelta = fields.offsetDelta
    this.#timestampDelta = fields.timestampDelta
    this.#keyAt = fields.keyAt
    this.#keyLength = fields.keyLength
    this.#valueAt = fields.valueAt
    this.valueLength = Math.max(NULL, fields.valueLength)
    this.#headersAt = fields.headersAt
  }

  /** Of key and value. */
  get bytes(): number {
    return Math.max(0, this.#keyLength) + Math.max(0, this.valueLength)
  }

  get partition(): number {
    return this.#batch.partition
  }

  get offset(): number {
    return this.#batch.baseOffset + this.#offsetDelta
  }

  get timestamp(): number {
    const { baseTimestamp, isLogAppendTime } = this.#batch
    return isLogAppendTime ? baseTimestamp : baseTimestamp + this.#timestampDelta
  }

  get key(): Buffer | null {
    return this.#keyLength < 0 ? null : this.#batch.bytes.subarray(this.#keyAt, this.#keyAt + this.#keyLength)
  }

  get value(): Buffer | null {
    return this.valueLength < 0 ? null : this.#batch.bytes.subarray(this.#valueAt, this.#valueAt + this.valueLength)
  }

  get headers(): RawHeaders | undefined {
    return this.#headersAt === NO_HEADERS_AT ? undefined : headersOf(this.#batch.bytes, this.#headersAt)
  }

  keyText(): string | null {
    return this.#keyLength < 0 ? null : this.#batch.bytes.toString('utf8', this.#keyAt, this.#keyAt + this.#keyLength)
  }

  valueText(): string {
    if (this.valueLength < 0) throw new TypeError('The record has no value')
    const text = this.#batch.bytes.toString('utf8', this.#valueAt, this.#valueAt + this.valueLength)
    // Invalid bytes were replaced, or the text has the replacement itself. A search in ASCII takes no time.
    if (text.includes(REPLACEMENT)) return utf8.decode(this.value as Buffer)
    return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text
  }
}

/** Names are text on the wire; one that is there several times has an array. The bytes were checked when decoded. */
function headersOf(bytes: Buffer, at: number): RawHeaders {
  // Without a prototype: a header may be named "__proto__".
  const headers: Record<string, RawHeaders[string]> = Object.create(null)
  const reader = new VarintReader(bytes, at)
  for (let left = reader.int(); left > 0; left--) {
    const name = textOf(reader)
    const value = bytesOf(reader)
    const before = headers[name]
    if (Array.isArray(before)) before.push(value)
    else headers[name] = name in headers ? [before, value] : value
  }
  return headers
}

function textOf(reader: VarintReader): string {
  const length = reader.int()
  reader.at += length
  return reader.bytes.toString('utf8', reader.at - length, reader.at)
}

function bytesOf(reader: VarintReader): Buffer | undefined {
  const length = reader.int()
  if (length < 0) return undefined
  reader.at += length
  return reader.bytes.subarray(reader.at - length, reader.at)
}
