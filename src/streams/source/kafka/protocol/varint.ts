import { Corrupt } from './undecodable.ts'

/** Bits of a byte that carry the number. The other one says that a further byte follows. */
const PAYLOAD = 0x7f
const CONTINUED = 0x80

/**
 * Reads numbers of variable length one after another. They are zigzag encoded (0, -1, 1, -2, …) in groups of 7 bits,
 * the lowest first, as in Protocol Buffers. Reading beyond the end of the bytes throws; reading beyond the end of a
 * record inside of them does not: the caller compares `at` with it.
 */
export class VarintReader {
  readonly bytes: Buffer
  at: number

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes
    this.at = at
  }

  /** Of 32 bits, in at most 5 bytes. */
  int(): number {
    const bytes = this.bytes
    let byte = bytes[this.at++] as number
    if (byte < CONTINUED) return (byte >>> 1) ^ -(byte & 1)
    let zigzag = byte & PAYLOAD
    for (let shift = 7; shift <= 28; shift += 7) {
      byte = bytes[this.at++] as number
      zigzag |= (byte & PAYLOAD) << shift
      if (byte < CONTINUED) return (zigzag >>> 1) ^ -(zigzag & 1)
    }
    throw new Corrupt('a number in it is cut off or has more than 32 bits')
  }

  /** Of 64 bits, in at most 10 bytes. Exact up to 2^53. */
  long(): number {
    const bytes = this.bytes
    let byte = bytes[this.at++] as number
    let low = byte & PAYLOAD
    for (let shift = 7; byte >= CONTINUED && shift <= 21; shift += 7) {
      byte = bytes[this.at++] as number
      low |= (byte & PAYLOAD) << shift
    }
    if (byte < CONTINUED) return (low >>> 1) ^ -(low & 1)
    return this.#longFrom(low)
  }

  /** The rest of a number whose lowest 28 bits are given. */
  #longFrom(low: number): number {
    let middle = 0
    let high = 0
    for (let shift = 28; shift <= 63; shift += 7) {
      const byte = this.bytes[this.at++] as number
      if (shift < 56) middle |= (byte & PAYLOAD) << (shift - 28)
      else high |= (byte & (shift < 63 ? PAYLOAD : 1)) << (shift - 56)
      if (byte >= CONTINUED) continue
      if (byte === undefined) break
      const half = (low >>> 1) + middle * 2 ** 27 + high * 2 ** 55
      return low & 1 ? -half - 1 : half
    }
    throw new Corrupt('a number in it is cut off or has more than 64 bits')
  }
}
