import { MAX_BATCH_BYTES } from './limits.ts'
import { Corrupt } from './undecodable.ts'

/** Copies of fewer bytes are loops, which are faster than a call of a native copy. */
const LOOP_BYTES = 32

/** Memory of an output, in relation to its bytes, from which on it is copied. */
const MAX_SLACK = 1.125

/** Growing output of a decompressor, with back-references. `bytes` is filled up to `length`. */
export class Output {
  bytes: Buffer
  length = 0

  constructor(expected: number) {
    this.bytes = Buffer.allocUnsafe(Math.min(expected, MAX_BATCH_BYTES))
  }

  /** Makes room for so many further bytes. */
  reserve(count: number): void {
    const needed = this.length + count
    if (needed > MAX_BATCH_BYTES) throw new Corrupt(`it has more than ${MAX_BATCH_BYTES} bytes when decompressed`)
    if (needed <= this.bytes.length) return
    const larger = Buffer.allocUnsafe(Math.min(MAX_BATCH_BYTES, Math.max(needed, this.bytes.length * 2)))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }

  literal(input: Buffer, from: number, count: number): void {
    if (this.length + count > this.bytes.length) this.reserve(count)
    const { bytes, length } = this
    if (count < LOOP_BYTES) for (let i = 0; i < count; i++) bytes[length + i] = input[from + i] as number
    else input.copy(bytes, length, from, from + count)
    this.length = length + count
  }

  /** Copies `count` bytes from `distance` back. They may overlap the output: it then repeats itself. */
  match(distance: number, count: number): void {
    if (this.length + count > this.bytes.length) this.reserve(count)
    const { bytes, length } = this
    const from = length - distance
    if (distance === 0 || from < 0) throw new Corrupt('its compressed bytes refer to none')
    if (count < LOOP_BYTES) for (let i = 0; i < count; i++) bytes[length + i] = bytes[from + i] as number
    else {
      for (let done = 0; done < count; ) {
        const some = Math.min(distance + done, count - done)
        bytes.copyWithin(length + done, from, from + some)
        done += some
      }
    }
    this.length = length + count
  }

  /** What was written, and no more memory than that. */
  done(): Buffer {
    return trimmed(this.bytes.subarray(0, this.length))
  }
}

/** The bytes, copied where they would retain more memory than they take. Node's pool of small buffers is shared. */
export function trimmed(bytes: Buffer): Buffer {
  const retained = bytes.buffer.byteLength
  return retained !== Buffer.poolSize && retained > bytes.length * MAX_SLACK ? Buffer.from(bytes) : bytes
}
