import { CodecFailure } from '../../codec.ts'
import { utf8Text } from '../utf8.ts'

/** Records within records: see MAX_DEPTH in decode.ts. */
const MAX_DEPTH = 100
/** Values that take no byte, such as the nulls of an `array<null>`: their number is not bounded by the record's size. */
const FREE_VALUES = 10_000
/** A byte is at most a field and an item: see `spend`. */
const VALUES_PER_BYTE = 2
/** 64 bits are at most ten bytes of seven; the last of them has one bit. */
const LONG_BYTES = 10
/** So many bytes of seven bits are exact as a number. */
const EXACT_BYTES = 7

/**
 * Reads Avro's binary encoding. Bounded, whatever the bytes say: nothing is read beyond the end, lengths are compared
 * with what is there, and values that take no byte are counted.
 */
export class AvroReader {
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #left = 0
  #depth = 0

  start(bytes: Buffer, at: number): void {
    this.#bytes = bytes
    this.#at = at
    this.#left = FREE_VALUES + VALUES_PER_BYTE * (bytes.length - at)
    this.#depth = 0
  }

  /** @throws CodecFailure where bytes are left: they are of another schema. */
  finish(): void {
    const left = this.#bytes.length - this.#at
    if (left !== 0) throw new CodecFailure(`${left} bytes are left behind the value: it is not of this schema`)
  }

  /** Counts values that are about to be made. */
  spend(values: number): void {
    this.#left -= values
    if (!(this.#left >= 0)) throw new CodecFailure('It has more values than its bytes can hold')
  }

  enter(): void {
    if (++this.#depth > MAX_DEPTH) throw new CodecFailure(`It is nested deeper than ${MAX_DEPTH} levels`)
  }

  leave(): void {
    this.#depth--
  }

  boolean(): boolean {
    const byte = this.#byte()
    if (byte > 1) throw new CodecFailure('A boolean is neither 0 nor 1')
    return byte === 1
  }

  int(): number {
    const value = this.long()
    if (value !== ((value as number) | 0)) throw new CodecFailure('An int has more than 32 bits')
    return value as number
  }

  /** A bigint only where it is beyond 2^48. */
  long(): number | bigint {
    const first = this.#byte()
    if (first < 0x80) return (first >>> 1) ^ -(first & 1)
    const start = this.#at - 1
    let value = first & 0x7f
    let factor = 128
    for (let read = 1; read < EXACT_BYTES; read++) {
      const byte = this.#byte()
      value += (byte & 0x7f) * factor
      factor *= 128
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
    return this.#bigLong(start)
  }

  float(): number {
    return this.#bytes.readFloatLE(this.#skip(4))
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#skip(8))
  }

  text(): string {
    const length = this.length()
    const start = this.#skip(length)
    return utf8Text(this.#bytes, start, start + length)
  }

  /** A view, which the caller does not keep. */
  view(length: number): Buffer {
    const start = this.#skip(length)
    return this.#bytes.subarray(start, start + length)
  }

  length(): number {
    const length = this.long()
    if (typeof length !== 'number' || length < 0) throw new CodecFailure('A length is negative or too large')
    return length
  }

  /** The number of items of the next block; 0 at the end. A negative one is followed by the block's size in bytes. */
  count(): number {
    const count = this.long()
    if (typeof count === 'bigint') throw new CodecFailure('It has more values than its bytes can hold')
    if (count < 0) this.long()
    const items = Math.abs(count)
    this.spend(items)
    return items
  }

  #byte(): number {
    return this.#bytes[this.#skip(1)] as number
  }

  /** Moves on, and returns where it was. */
  #skip(length: number): number {
    const at = this.#at
    if (length > this.#bytes.length - at) throw new CodecFailure('It ends in the middle of a value')
    this.#at = at + length
    return at
  }

  #bigLong(start: number): number | bigint {
    this.#at = start
    let value = 0n
    for (let read = 0; read < LONG_BYTES; read++) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << BigInt(7 * read)
      if (byte >= 0x80) continue
      const bits = BigInt.asUintN(64, value)
      if (bits !== value) break
      const long = BigInt.asIntN(64, (bits >> 1n) ^ -(bits & 1n))
      return Number.isSafeInteger(Number(long)) ? Number(long) : long
    }
    throw new CodecFailure('A long has more than 64 bits')
  }
}
