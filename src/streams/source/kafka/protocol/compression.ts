import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'

/**
 * Decompression of Kafka's record batches other than gzip, which kafkajs has: Zstandard by Node; Snappy and LZ4 here,
 * since the packages for kafkajs are native or unmaintained, and the formats are small. Checksums are not verified, as
 * kafkajs does not verify Kafka's: TCP and the broker verify theirs.
 */
export interface Compression {
  /** kafkajs passes its encoder, which holds the bytes. */
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
  decompress(bytes: Buffer): Promise<Buffer>
}

/**
 * Size limit of a decompressed record batch, far above what the brokers' default limit (1 MiB compressed) amounts to in
 * practice. A larger one would exhaust the memory of the process. It is refused: its reader stops, and reports why.
 */
const MAX_BATCH_BYTES = 256 * 1024 * 1024

const compressZstd = promisify(zstdCompress)
const decompressZstd = promisify(zstdDecompress)

export const zstd: Compression = {
  compress: ({ buffer }) => compressZstd(buffer),
  decompress: (bytes) => decompressZstd(bytes, { maxOutputLength: MAX_BATCH_BYTES }),
}

/** Sluice's own records are not compressed. */
async function readOnly(): Promise<never> {
  throw new Error('This compression is only read')
}

export const snappy: Compression = { compress: readOnly, decompress: async (bytes) => snappyDecompress(bytes) }
export const lz4: Compression = { compress: readOnly, decompress: async (bytes) => lz4Decompress(bytes) }

/** Growing output buffer, with back-references. */
class Output {
  #bytes: Buffer
  #length = 0

  constructor(expected: number) {
    this.#bytes = Buffer.allocUnsafe(Math.min(expected, MAX_BATCH_BYTES))
  }

  literal(input: Buffer, from: number, count: number): void {
    if (from + count > input.length) throw new Error('The compressed records end too early')
    this.#reserve(count)
    input.copy(this.#bytes, this.#length, from, from + count)
    this.#length += count
  }

  /** Copies `count` bytes from `distance` back. They may overlap the output. */
  match(distance: number, count: number): void {
    if (distance === 0 || distance > this.#length) throw new Error('The compressed records refer to nothing')
    this.#reserve(count)
    const end = this.#length + count
    if (distance >= count) {
      this.#bytes.copyWithin(this.#length, this.#length - distance, this.#length - distance + count)
    } else {
      for (let i = this.#length; i < end; i++) this.#bytes[i] = this.#bytes[i - distance] as number
    }
    this.#length = end
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed > MAX_BATCH_BYTES) throw new Error(`A record batch has more than ${MAX_BATCH_BYTES} bytes`)
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}

/** Typical compression ratio of text: the first estimate of a buffer's size. */
const USUAL_RATIO = 4

const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const XERIAL_HEADER = 16

/** Snappy's raw format, or the framing of snappy-java ("xerial"), which Java producers send. */
function snappyDecompress(input: Buffer): Buffer {
  const output = new Output(input.length * USUAL_RATIO)
  if (!input.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) {
    snappyBlock(input, output)
    return output.bytes()
  }
  for (let at = XERIAL_HEADER; at < input.length; ) {
    const size = input.readInt32BE(at)
    if (size < 0 || at + 4 + size > input.length) throw new Error('The compressed records end too early')
    snappyBlock(input.subarray(at + 4, at + 4 + size), output)
    at += 4 + size
  }
  return output.bytes()
}

/** https://github.com/google/snappy/blob/main/format_description.txt */
function snappyBlock(input: Buffer, output: Output): void {
  let at = 0
  while (((input[at] ?? 0) & 0x80) !== 0) at++ // the length of the output, as a varint
  at++
  while (at < input.length) {
    const tag = input[at++] as number
    const kind = tag & 3
    if (kind === 0) {
      let count = tag >>> 2
      if (count >= 60) {
        const extra = count - 59
        count = input.readUIntLE(at, extra)
        at += extra
      }
      output.literal(input, at, count + 1)
      at += count + 1
    } else if (kind === 1) {
      output.match(((tag >>> 5) << 8) | input.readUInt8(at), ((tag >>> 2) & 7) + 4)
      at += 1
    } else if (kind === 2) {
      output.match(input.readUInt16LE(at), (tag >>> 2) + 1)
      at += 2
    } else {
      output.match(input.readUInt32LE(at), (tag >>> 2) + 1)
      at += 4
    }
  }
}

const LZ4_MAGIC = 0x184d2204

/** https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md */
function lz4Decompress(input: Buffer): Buffer {
  if (input.readUInt32LE(0) !== LZ4_MAGIC) throw new Error('The records are not an LZ4 frame')
  const flags = input.readUInt8(4)
  const hasContentSize = (flags & 0x08) !== 0
  const hasBlockChecksums = (flags & 0x10) !== 0
  const hasDictionary = (flags & 0x01) !== 0
  // Magic, flags, block size, what the flags announce, and the header's checksum.
  let at = 6 + (hasContentSize ? 8 : 0) + (hasDictionary ? 4 : 0) + 1
  const output = new Output(input.length * USUAL_RATIO)
  for (;;) {
    const word = input.readUInt32LE(at)
    at += 4
    if (word === 0) return output.bytes()
    const size = word & 0x7fffffff
    if (word >>> 31 === 1) output.literal(input, at, size)
    else lz4Block(input.subarray(at, at + size), output)
    at += size + (hasBlockChecksums ? 4 : 0)
  }
}

/** https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md */
function lz4Block(input: Buffer, output: Output): void {
  let at = 0
  const length = (nibble: number): number => {
    let total = nibble
    for (let byte = 255; nibble === 15 && byte === 255; total += byte) byte = input.readUInt8(at++)
    return total
  }
  while (at < input.length) {
    const token = input[at++] as number
    const literals = length(token >>> 4)
    output.literal(input, at, literals)
    at += literals
    if (at >= input.length) return // a block ends with literals
    const distance = input.readUInt16LE(at)
    at += 2
    output.match(distance, length(token & 15) + 4)
  }
}
