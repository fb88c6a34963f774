import { CodecFailure } from '../../codec.ts'
import { utf8Text } from '../utf8.ts'

/** Messages within messages: see MAX_DEPTH in decode.ts. */
const MAX_DEPTH = 100
/** 64 bits are at most ten bytes of seven. */
const VARINT_BYTES = 10
/** So many bytes of seven bits are exact as a number. */
const EXACT_BYTES = 7

export const VARINT = 0
export const FIXED64 = 1
export const DELIMITED = 2
export const START_GROUP = 3
export const END_GROUP = 4
export const FIXED32 = 5

/** Reads Protobuf's wire format. Each value takes at least one byte, and nothing is read beyond the end. */
export class ProtoReader {
  bytes: Buffer = Buffer.alloc(0)
  at = 0
  end = 0
  depth = 0

  start(bytes: Buffer, at: number): void {
    this.bytes = bytes
    this.at = at
    this.end = bytes.length
    this.depth = 0
  }

  enter(): void {
    if (++this.depth > MAX_DEPTH) throw new CodecFailure(`It is nested deeper than ${MAX_DEPTH} levels`)
  }

  leave(): void {
    this.depth--
  }

  /** Unsigned, of up to 64 bits; a bigint only where it is beyond 2^49. */
  varint(): number | bigint {
    let value = this.byte()
    if (value < 0x80) return value
    const start = this.at - 1
    value &= 0x7f
    let factor = 128
    for (let read = 1; read < EXACT_BYTES; read++) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
    this.at = start
    return this.#bigVarint()
  }

  /** The low 32 bits, as all types of 32 bits have them; those above are dropped by the specification. */
  uint32(): number {
    const value = this.varint()
    return typeof value === 'number' ? value >>> 0 : Number(BigInt.asUintN(32, value))
  }

  int64(): number | bigint {
    const value = this.varint()
    return typeof value === 'number' ? value : small(BigInt.asIntN(64, value))
  }

  uint64(): number | bigint {
    const value = this.varint()
    return typeof value === 'number' ? value : small(value)
  }

  sint64(): number | bigint {
    const value = this.varint()
    if (typeof value === 'number') return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    return small(BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n)))
  }

  fixed64(isSigned: boolean): number | bigint {
    const at = this.skip(8)
    return small(isSigned ? this.bytes.readBigInt64LE(at) : this.bytes.readBigUInt64LE(at))
  }

  text(): string {
    const length = this.length()
    const start = this.skip(length)
    return utf8Text(this.bytes, start, start + length)
  }

  base64(): string {
    const length = this.length()
    const start = this.skip(length)
    return this.bytes.toString('base64', start, start + length)
  }

  /** Of what follows, which is there. */
  length(): number {
    const length = this.varint()
    if (typeof length === 'number' && length <= this.end - this.at) return length
    throw new CodecFailure('A length goes beyond the end of its message')
  }

  byte(): number {
    return this.bytes[this.skip(1)] as number
  }

  /** Moves on, and returns where it was. */
  skip(length: number): number {
    const at = this.at
    if (length > this.end - at) throw new CodecFailure('It ends in the middle of a value')
    this.at = at + length
    return at
  }

  /** Passes the value of a field that is not known. */
  skipValue(wireType: number, field: number): void {
    switch (wireType) {
      case VARINT:
        this.varint()
        return
      case FIXED64:
        this.skip(8)
        return
      case DELIMITED:
        this.skip(this.length())
        return
      case START_GROUP:
        this.#skipGroup(field)
        return
      case FIXED32:
        this.skip(4)
        return
      default:
        throw new CodecFailure(`It has a wire type ${wireType}, which there is not`)
    }
  }

  #skipGroup(field: number): void {
    this.enter()
    for (;;) {
      const tag = this.uint32()
      if ((tag & 7) === END_GROUP) {
        if (tag >>> 3 !== field) throw new CodecFailure('A group ends that did not begin')
        this.leave()
        return
      }
      this.skipValue(tag & 7, tag >>> 3)
    }
  }

  #bigVarint(): number | bigint {
    let value = 0n
    for (let read = 0; read < VARINT_BYTES; read++) {
      const byte = this.byte()
      value |= BigInt(byte & 0x7f) << BigInt(7 * read)
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new CodecFailure('An integer has more than 64 bits')
  }
}

function small(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
