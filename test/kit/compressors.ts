/**
 * Encoders of Snappy and LZ4, for tests of their decoders. They find every repetition of four bytes or more, also one
 * that overlaps itself, and use every kind of element.
 */

/** Some bytes as they are, then a repetition of bytes that are `distance` back; none, at the end. */
interface Sequence {
  readonly literals: Buffer
  readonly distance: number
  readonly length: number
}

const MIN_MATCH = 4
const MAX_DISTANCE = 65_535
/** LZ4's blocks end with literals, and its last match begins before so many bytes. */
const LITERAL_TAIL = 12

function* sequences(input: Buffer): Generator<Sequence> {
  const seen = new Map<number, number>()
  const end = input.length - LITERAL_TAIL
  let literalsAt = 0
  for (let at = 0; at < end; ) {
    const word = input.readUInt32LE(at)
    const before = seen.get(word)
    seen.set(word, at)
    if (before === undefined || at - before > MAX_DISTANCE) {
      at++
      continue
    }
    let length = MIN_MATCH
    while (at + length < end && input[at + length] === input[before + length]) length++
    yield { literals: input.subarray(literalsAt, at), distance: at - before, length }
    at += length
    literalsAt = at
  }
  yield { literals: input.subarray(literalsAt), distance: 0, length: 0 }
}

/** A raw block of Snappy. */
export function snappyBlock(input: Buffer): Buffer {
  const parts: Buffer[] = [unsignedVarint(input.length)]
  for (const { literals, distance, length } of sequences(input)) {
    if (literals.length > 0) parts.push(snappyLiteral(literals.length), literals)
    for (let left = length; left > 0; ) {
      // A reference has at most 64 bytes. Short ones at least 4.
      const some = left > 64 && left < 68 ? 60 : Math.min(left, 64)
      parts.push(snappyReference(distance, some))
      left -= some
    }
  }
  return Buffer.concat(parts)
}

function snappyLiteral(length: number): Buffer {
  const last = length - 1
  if (last < 60) return Buffer.from([last << 2])
  const extra = last < 2 ** 8 ? 1 : last < 2 ** 16 ? 2 : last < 2 ** 24 ? 3 : 4
  const tag = Buffer.alloc(1 + extra)
  tag[0] = (59 + extra) << 2
  tag.writeUIntLE(last, 1, extra)
  return tag
}

function snappyReference(distance: number, length: number): Buffer {
  if (distance < 2048 && length >= 4 && length <= 11) {
    return Buffer.from([((distance >> 8) << 5) | ((length - 4) << 2) | 1, distance & 255])
  }
  // The one with four bytes is not needed for so small a distance: it is used for even ones.
  const size = distance % 2 === 0 ? 4 : 2
  const element = Buffer.alloc(1 + size)
  element[0] = ((length - 1) << 2) | (size === 4 ? 3 : 2)
  element.writeUIntLE(distance, 1, size)
  return element
}

/** The framing of snappy-java. */
export function xerialSnappy(input: Buffer, blockBytes = 32 * 1024): Buffer {
  const parts: Buffer[] = [Buffer.from('82534e4150505900'.concat('00000001'.repeat(2)), 'hex')]
  for (let at = 0; at < input.length; at += blockBytes) {
    const block = snappyBlock(input.subarray(at, at + blockBytes))
    const size = Buffer.alloc(4)
    size.writeInt32BE(block.length)
    parts.push(size, block)
  }
  return Buffer.concat(parts)
}

export interface Lz4Options {
  readonly isStored?: boolean
  readonly hasContentSize?: boolean
  /** Of blocks, and of the whole. They are zero here: nobody reads them. */
  readonly hasChecksums?: boolean
}

const LZ4_BLOCK_BYTES = 64 * 1024

/** A frame with blocks of 64 KiB. */
export function lz4Frame(input: Buffer, options: Lz4Options = {}): Buffer {
  const { isStored = false, hasContentSize = false, hasChecksums = false } = options
  const checksum = Buffer.alloc(hasChecksums ? 4 : 0)
  const flags = 0x60 | (hasChecksums ? 0x14 : 0) | (hasContentSize ? 0x08 : 0)
  const parts: Buffer[] = [Buffer.from([0x04, 0x22, 0x4d, 0x18, flags, 0x40])]
  if (hasContentSize) {
    const size = Buffer.alloc(8)
    size.writeBigUInt64LE(BigInt(input.length))
    parts.push(size)
  }
  parts.push(Buffer.alloc(1)) // the header's checksum
  for (let at = 0; at < input.length; at += LZ4_BLOCK_BYTES) {
    const bytes = input.subarray(at, at + LZ4_BLOCK_BYTES)
    const block = isStored ? bytes : lz4Block(bytes)
    const size = Buffer.alloc(4)
    size.writeUInt32LE(block.length + (isStored ? 2 ** 31 : 0))
    parts.push(size, block, checksum)
  }
  return Buffer.concat([...parts, Buffer.alloc(4), checksum])
}

function lz4Block(input: Buffer): Buffer {
  const parts: Buffer[] = []
  for (const { literals, distance, length } of sequences(input)) {
    const match = length === 0 ? 0 : length - MIN_MATCH
    parts.push(Buffer.from([(Math.min(literals.length, 15) << 4) | Math.min(match, 15)]))
    if (literals.length >= 15) parts.push(lz4Length(literals.length - 15))
    parts.push(literals)
    if (length === 0) continue
    parts.push(Buffer.from([distance & 255, distance >> 8]))
    if (match >= 15) parts.push(lz4Length(match - 15))
  }
  return Buffer.concat(parts)
}

function lz4Length(rest: number): Buffer {
  return Buffer.concat([Buffer.alloc(Math.floor(rest / 255), 255), Buffer.from([rest % 255])])
}

function unsignedVarint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return Buffer.from([...bytes, rest])
}
