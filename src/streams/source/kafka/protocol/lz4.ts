import { Output } from './output.ts'
import type { Steps } from './steps.ts'
import { Corrupt } from './undecodable.ts'

const MAGIC = 0x184d2204
/** Flags of a frame. */
const DICTIONARY_ID = 0x01
const CONTENT_SIZE = 0x08
const BLOCK_CHECKSUMS = 0x10
/** Flag of a block's size: its bytes are not compressed. */
const STORED = 0x80_00_00_00
/** Compression ratio of text at its best: the first estimate of a buffer's size, which then grows. */
const GOOD_RATIO = 8
const MIN_MATCH = 4
/** Output for which a unit of work is counted. */
const UNIT_BYTES_LOG_2 = 12

interface Block {
  readonly at: number
  readonly end: number
  readonly isStored: boolean
}

/**
 * A frame of LZ4. Its checksums are not verified: the record batch has its own, and that of the header is wrong in the
 * oldest record format. https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 */
export function* lz4Decompress(input: Buffer): Steps<Buffer> {
  if (input.length < 7 || input.readUInt32LE(0) !== MAGIC) throw new Corrupt('its bytes are not an LZ4 frame')
  const blockBytes = maxBlockBytes(input[5] as number)
  const blocks = blocksOf(input)
  // All blocks but the last are usually full.
  const output = new Output(Math.min(blocks.length * blockBytes, input.length * GOOD_RATIO))
  for (const { at, end, isStored } of blocks) {
    const before = output.length
    if (!isStored) decompressBlock(input, at, end, output, before + blockBytes)
    else if (end - at > blockBytes) throw tooLong()
    else output.literal(input, at, end - at)
    yield (output.length - before) >> UNIT_BYTES_LOG_2
  }
  return output.done()
}

/** Limit of a block's output, from the frame's header: 64 KiB, 256 KiB, 1 MiB or 4 MiB. */
function maxBlockBytes(descriptor: number): number {
  const id = (descriptor >>> 4) & 7
  if (id < 4) throw new Corrupt('its LZ4 frame has no valid block size')
  return 1 << (8 + 2 * id)
}

function blocksOf(input: Buffer): Block[] {
  const flags = input[4] as number
  const checksum = (flags & BLOCK_CHECKSUMS) !== 0 ? 4 : 0
  // Magic, flags, block size, what the flags announce, and the header's checksum.
  let at = 6 + ((flags & CONTENT_SIZE) !== 0 ? 8 : 0) + ((flags & DICTIONARY_ID) !== 0 ? 4 : 0) + 1
  const blocks: Block[] = []
  for (;;) {
    if (at + 4 > input.length) throw tooEarly()
    const word = input.readUInt32LE(at)
    if (word === 0) return blocks
    const isStored = word >= STORED
    const block = { at: at + 4, end: at + 4 + (isStored ? word - STORED : word), isStored }
    if (block.end > input.length) throw tooEarly()
    blocks.push(block)
    at = block.end + checksum
  }
}

/** https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md */
function decompressBlock(input: Buffer, start: number, end: number, output: Output, outputEnd: number): void {
  let at = start
  while (at < end) {
    const token = input[at++] as number
    let literals = token >>> 4
    if (literals === 15) {
      let byte = 255
      for (; byte === 255 && at < end; literals += byte) byte = input[at++] as number
    }
    if (at + literals > end) throw tooEarly()
    if (output.length + literals > outputEnd) throw tooLong()
    output.literal(input, at, literals)
    at += literals
    if (at === end) return // a block ends with literals
    if (at + 2 > end) throw tooEarly()
    const distance = (input[at] as number) | ((input[at + 1] as number) << 8)
    at += 2
    let count = (token & 15) + MIN_MATCH
    if (count === 15 + MIN_MATCH) {
      let byte = 255
      for (; byte === 255 && at < end; count += byte) byte = input[at++] as number
    }
    if (output.length + count > outputEnd) throw tooLong()
    output.match(distance, count)
  }
}

function tooEarly(): Corrupt {
  return new Corrupt('its LZ4 bytes end too early')
}

function tooLong(): Corrupt {
  return new Corrupt('an LZ4 block in it is longer than its frame permits')
}
