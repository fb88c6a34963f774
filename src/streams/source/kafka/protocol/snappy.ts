import { Output } from './output.ts'
import type { Steps } from './steps.ts'
import { Corrupt } from './undecodable.ts'

/** Beginning of the framing of snappy-java ("xerial"), which Java producers send. A header of 16 bytes in all. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const XERIAL_HEADER = 16

/** The format at its best: 64 bytes by a reference that takes 3. A larger length in a header is damaged. */
const MAX_RATIO = 22
/** Output of a step. */
const STEP_BYTES = 256 * 1024
/** Output for which a unit of work is counted. */
const UNIT_BYTES_LOG_2 = 12

/** Snappy's raw format, or the framing of snappy-java. */
export function* snappyDecompress(input: Buffer): Steps<Buffer> {
  const isFramed = input.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)
  const blocks = isFramed ? framedBlocks(input) : [{ at: 0, end: input.length }]
  let expected = 0
  for (const block of blocks) expected += lengthOf(input, block).length
  const output = new Output(0)
  output.reserve(expected)
  for (const block of blocks) {
    const { length, at: elements } = lengthOf(input, block)
    const outputEnd = output.length + length
    for (let at = elements; at < block.end; ) {
      const before = output.length
      at = someElements(input, { at, end: block.end }, output, outputEnd)
      yield (output.length - before) >> UNIT_BYTES_LOG_2
    }
    if (output.length !== outputEnd) throw new Corrupt('its Snappy bytes end too early')
  }
  return output.done()
}

interface Part {
  readonly at: number
  readonly end: number
}

function framedBlocks(input: Buffer): Part[] {
  const blocks: Part[] = []
  for (let at = XERIAL_HEADER; at < input.length; ) {
    const size = at + 4 <= input.length ? input.readInt32BE(at) : -1
    const block = { at: at + 4, end: at + 4 + size }
    if (size < 0 || block.end > input.length) throw new Corrupt('its Snappy bytes end too early')
    blocks.push(block)
    at = block.end
  }
  return blocks
}

/** A block begins with the length of its output, in groups of 7 bits. `at`: the position after it. */
function lengthOf(input: Buffer, { at, end }: Part): { length: number; at: number } {
  let length = 0
  for (let i = 0; i < 5 && at + i < end; i++) {
    const byte = input[at + i] as number
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte >= 0x80) continue
    if (length > (end - at) * MAX_RATIO) break
    return { length, at: at + i + 1 }
  }
  throw new Corrupt('its Snappy bytes have no valid length')
}

/**
 * Elements of a block, literal bytes and references, for about `STEP_BYTES` of output. Returns the position after them.
 * https://github.com/google/snappy/blob/main/format_description.txt
 */
function someElements(input: Buffer, part: Part, output: Output, outputEnd: number): number {
  const { end } = part
  const stop = output.length + STEP_BYTES
  let at = part.at
  while (at < end && output.length < stop) {
    const tag = input[at++] as number
    const kind = tag & 3
    let count = (tag >>> 2) + 1
    // Reads beyond the input yield undefined, which the arithmetic takes for 0; `at` is compared with `end` after it.
    if (kind === 0) {
      if (count > 60) {
        const extra = count - 60
        count = 1
        for (let i = 0; i < extra; i++) count += (input[at + i] as number) * 2 ** (8 * i)
        at += extra
      }
      if (!(at + count <= end)) throw new Corrupt('its Snappy bytes end too early')
      if (output.length + count > outputEnd) throw tooLong()
      output.literal(input, at, count)
      at += count
      continue
    }
    let distance = input[at] as number
    if (kind === 1) {
      distance |= (tag >>> 5) << 8
      count = ((tag >>> 2) & 7) + 4
      at += 1
    } else {
      distance |= (input[at + 1] as number) << 8
      if (kind === 3) distance += ((input[at + 2] as number) | ((input[at + 3] as number) << 8)) * 2 ** 16
      at += kind === 2 ? 2 : 4
    }
    if (at > end) throw new Corrupt('its Snappy bytes end too early')
    if (output.length + count > outputEnd) throw tooLong()
    output.match(distance, count)
  }
  return at
}

function tooLong(): Corrupt {
  return new Corrupt('its Snappy bytes are longer than they say')
}
