import { crc32 } from 'node:zlib'
import { SluiceError } from '../errors.ts'
import { MAX_PARTITIONS } from './topic.ts'
import type { Vector } from './vector.ts'

/**
 * A cursor: the next wanted offset of every partition of a topic. Opaque to clients, the same for every instance.
 *
 * Bytes, then base64url: version, flags, topic (CRC-32 of its name, 4 bytes), identity, partition count (1 byte,
 * count - 1), for each partition from 0 the varint of offset + 1 (0: not known), CRC-32 of all before (4 bytes).
 * Identity: the embedded log's epoch (6 bytes), or a witness, which is the partition (1 byte) and timestamp (6 bytes)
 * of the event just before the cursor: a topic recreated under its name has another event there.
 */
export interface Cursor {
  readonly positions: Vector
  /** Identity of an embedded log; absent for Kafka. */
  readonly epoch?: number | undefined
  /** The event just before the cursor; absent where nothing was read yet. */
  readonly witness?: Witness | undefined
}

export interface Witness {
  readonly partition: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
}

const VERSION = 1
const HAS_EPOCH = 1
const HAS_WITNESS = 2
const HEADER_BYTES = 2 + 4
const CHECKSUM_BYTES = 4
const IDENTITY_BYTES = 6 + 1 + 6
/** An offset below 2^53, plus one, in groups of seven bits. */
const MAX_VARINT_BYTES = 8
const MAX_CURSOR_BYTES = HEADER_BYTES + IDENTITY_BYTES + 1 + MAX_PARTITIONS * MAX_VARINT_BYTES + CHECKSUM_BYTES
/** Longer text is refused before it is decoded. */
const MAX_CURSOR_CHARS = Math.ceil((MAX_CURSOR_BYTES * 4) / 3)

/** Encoding is synchronous and hands out text, so one scratch buffer serves all. */
const scratch = Buffer.allocUnsafe(MAX_CURSOR_BYTES)
const topicTags = new Map<string, number>()

export function encodeCursor(topic: string, cursor: Cursor): string {
  const { positions, epoch, witness } = cursor
  let at = 0
  scratch[at++] = VERSION
  scratch[at++] = (epoch === undefined ? 0 : HAS_EPOCH) | (witness === undefined ? 0 : HAS_WITNESS)
  at = scratch.writeUInt32BE(topicTag(topic), at)
  if (epoch !== undefined) at = scratch.writeUIntBE(epoch, at, 6)
  if (witness !== undefined) {
    scratch[at++] = witness.partition
    at = scratch.writeUIntBE(Math.max(0, witness.timestamp), at, 6)
  }
  scratch[at++] = positions.length - 1
  for (let partition = 0; partition < positions.length; partition++) {
    at = writeVarint((positions[partition] as number) + 1, at)
  }
  at = scratch.writeUInt32BE(crc32(scratch.subarray(0, at)), at)
  return scratch.toString('base64url', 0, at)
}

/** @throws SluiceError `CURSOR_INVALID` for anything that `encodeCursor` did not write for this topic. */
export function decodeCursor(topic: string, text: string): Cursor {
  if (text.length === 0 || text.length > MAX_CURSOR_CHARS || !/^[A-Za-z0-9_-]+$/.test(text)) throw invalid()
  const bytes = Buffer.from(text, 'base64url')
  const end = bytes.length - CHECKSUM_BYTES
  if (end < HEADER_BYTES + 1) throw invalid()
  if (bytes.readUInt32BE(end) !== crc32(bytes.subarray(0, end))) throw invalid()
  const flags = bytes[1] as number
  if (bytes[0] !== VERSION || flags > (HAS_EPOCH | HAS_WITNESS)) throw invalid('The cursor is of another version')
  if (bytes.readUInt32BE(2) !== topicTag(topic)) throw invalid('The cursor belongs to another topic')

  const input = { bytes, at: HEADER_BYTES, end }
  const epoch = flags & HAS_EPOCH ? readUint(input, 6) : undefined
  const witness = flags & HAS_WITNESS ? { partition: readUint(input, 1), timestamp: readUint(input, 6) } : undefined
  const positions = new Array<number>(readUint(input, 1) + 1)
  for (let partition = 0; partition < positions.length; partition++) positions[partition] = readVarint(input) - 1
  if (input.at !== end) throw invalid()
  return { positions, epoch, witness }
}

/** CRC-32 of the topic's name: a cursor of another topic is noticed, and the name is not repeated in each. */
function topicTag(topic: string): number {
  let tag = topicTags.get(topic)
  if (tag === undefined) {
    tag = crc32(topic)
    topicTags.set(topic, tag)
  }
  return tag
}

function writeVarint(value: number, at: number): number {
  let rest = value
  while (rest >= 0x80) {
    scratch[at++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  scratch[at++] = rest
  return at
}

interface Input {
  readonly bytes: Buffer
  at: number
  readonly end: number
}

function readUint(input: Input, size: number): number {
  if (input.at + size > input.end) throw invalid()
  const value = input.bytes.readUIntBE(input.at, size)
  input.at += size
  return value
}

function readVarint(input: Input): number {
  let value = 0
  let scale = 1
  for (let count = 0; count < MAX_VARINT_BYTES; count++) {
    const byte = readUint(input, 1)
    value += (byte & 0x7f) * scale
    if (byte < 0x80) {
      if (value > Number.MAX_SAFE_INTEGER) throw invalid()
      return value
    }
    scale *= 0x80
  }
  throw invalid()
}

function invalid(message?: string): SluiceError {
  return new SluiceError('CURSOR_INVALID', message)
}
