import { crc32 } from 'node:zlib'
import { SluiceError } from '../../errors/codes.ts'
import { MAX_PARTITIONS, UNKNOWN, type Vector } from './vector.ts'

/**
 * A cursor: the next wanted offset of every partition of a topic. Opaque to clients, the same for every instance.
 * Bytes, then base64url: version, flags, topic (CRC-32 of its name, 4 bytes), identity, partition count (1 byte, count
 * - 1), for each partition from 0 the varint of offset + 1 (0: not known), CRC-32 of all before (4 bytes).
 * Identity: the embedded log's epoch (6 bytes), or a fingerprint: a partition (1 byte) and the timestamp (6 bytes) of
 * an event that was passed in it. A topic that was recreated under its name has another event there. In version 1 that
 * is the event just before the position. In version 2 the number of offsets between the two follows (1 byte), so that a
 * position after offsets without an event has a fingerprint as well, and the flags are the upper half of the version's
 * byte.
 * Total: the encoder never throws, whatever a record or its log holds. Values without an exact encoding are
 * - a timestamp or an epoch: its stored form is written and compared (see `storedTimestamp`);
 * - a fingerprint that is too far before its position, or of a partition that is not named: it is omitted, so that this
 *   cursor cannot detect a recreated topic;
 * - an offset: the next lower one that can be written, or "not known"; partitions beyond the bound: omitted. Events may
 *   then be delivered twice, and none is missed.
 */
export interface Cursor {
  readonly positions: Vector
  /** Identity of an embedded log; absent for Kafka. Decoded: its stored form. */
  readonly epoch?: number | undefined
  /** An event just before the cursor; absent where nothing was read yet, or the version cannot encode it. */
  readonly fingerprint?: Fingerprint | undefined
}

export interface Fingerprint {
  readonly partition: number
  /** Below the partition's position. */
  readonly offset: number
  /** Milliseconds since the epoch. Decoded: its stored form. */
  readonly timestamp: number
}

/**
 * Every instance reads both versions. All write the older one until configured otherwise, so that an upgrade can be
 * rolled back.
 */
const CURSOR_VERSIONS = { oldest: 1, newest: 2 } as const
const HAS_EPOCH = 1
const HAS_FINGERPRINT = 2
const HEADER_BYTES = 2 + 4
const CHECKSUM_BYTES = 4
/** An offset below 2^53, plus one, in groups of seven bits. */
const MAX_VARINT_BYTES = 8
const IDENTITY_BYTES = 6 + 1 + 6 + 1
const MAX_BETWEEN = 255
/**
 * Partitions that a cursor may name beyond those that this instance knows: another one may have found new ones before
 * it. A topic is seldom widened by more at once, and a client that makes them up takes no more memory than these.
 */
const COMING_PARTITIONS = 64
/** The offset after the last: 2^53 - 1 plus one is not an exact number. */
const MAX_OFFSET = Number.MAX_SAFE_INTEGER - 1
/** Number of values of six bytes. */
const STORED_TIMESTAMPS = 2 ** 48
const MAX_CURSOR_BYTES = HEADER_BYTES + IDENTITY_BYTES + 1 + MAX_PARTITIONS * MAX_VARINT_BYTES + CHECKSUM_BYTES
/** Length limit of the text, checked before it is decoded. */
const MAX_CURSOR_CHARS = Math.ceil((MAX_CURSOR_BYTES * 4) / 3)

/** Scratch buffer of the encoder. One suffices, since encoding is synchronous and returns text. */
const scratch = Buffer.allocUnsafe(MAX_CURSOR_BYTES)
const topicTags = new Map<string, number>()

/**
 * Stored form of a number of milliseconds, in six bytes: the number itself from 1970 to the year 10889. Both sides of a
 * comparison are stored forms. Larger numbers (microseconds, taken for milliseconds) are stored modulo 2^48, so that
 * two of them are rarely equal. Numbers before 1970, and no number at all, are stored as 0, and are equal.
 */
export function storedTimestamp(milliseconds: number): number {
  return milliseconds > 0 && milliseconds < Number.POSITIVE_INFINITY ? Math.floor(milliseconds) % STORED_TIMESTAMPS : 0
}

/** Never throws, whatever the cursor contains. What is decoded is nowhere past the encoded position. */
export function encodeCursor(topic: string, cursor: Cursor, version: number = CURSOR_VERSIONS.oldest): string {
  const { epoch } = cursor
  const positions = sayablePositions(cursor.positions)
  const fingerprint = cursor.fingerprint && sayable(cursor.fingerprint, positions, version)
  let at = 0
  const flags = (epoch === undefined ? 0 : HAS_EPOCH) | (fingerprint === undefined ? 0 : HAS_FINGERPRINT)
  scratch[at++] = version === 1 ? version : version | (flags << 4)
  if (version === 1) scratch[at++] = flags
  at = scratch.writeUInt32BE(topicTag(topic), at)
  if (epoch !== undefined) at = scratch.writeUIntBE(storedTimestamp(epoch), at, 6)
  if (fingerprint !== undefined) {
    scratch[at++] = fingerprint.partition
    at = scratch.writeUIntBE(fingerprint.timestamp, at, 6)
    if (version > 1) scratch[at++] = fingerprint.between
  }
  scratch[at++] = positions.length - 1
  for (let partition = 0; partition < positions.length; partition++) {
    at = writeVarint((positions[partition] as number) + 1, at)
  }
  at = scratch.writeUInt32BE(crc32(scratch.subarray(0, at)), at)
  return scratch.toString('base64url', 0, at)
}

/**
 * @param partitions the topic's, as far as they are known; absent: any number.
 * @throws SluiceError `CURSOR_INVALID` for anything that `encodeCursor` did not write for this topic, or that names more
 * partitions than the topic may have by now.
 */
export function decodeCursor(topic: string, text: string, partitions = MAX_PARTITIONS): Cursor {
  if (text.length === 0 || text.length > MAX_CURSOR_CHARS || !/^[A-Za-z0-9_-]+$/.test(text)) throw invalid()
  const bytes = Buffer.from(text, 'base64url')
  const end = bytes.length - CHECKSUM_BYTES
  if (end < HEADER_BYTES) throw invalid()
  if (bytes.readUInt32BE(end) !== crc32(bytes.subarray(0, end))) throw invalid()
  const version = (bytes[0] as number) & 0x0f
  const flags = version === 1 ? (bytes[1] as number) : (bytes[0] as number) >> 4
  const isKnown = version >= CURSOR_VERSIONS.oldest && version <= CURSOR_VERSIONS.newest
  if (!isKnown || flags > (HAS_EPOCH | HAS_FINGERPRINT)) throw invalid('The cursor is of another version')
  const input = { bytes, at: version === 1 ? 2 : 1, end }
  if (readUint(input, 4) !== topicTag(topic)) throw invalid('The cursor belongs to another topic')

  const epoch = flags & HAS_EPOCH ? readUint(input, 6) : undefined
  const said = flags & HAS_FINGERPRINT ? readFingerprint(input, version) : undefined
  const count = readUint(input, 1) + 1
  if (count > partitions + COMING_PARTITIONS) throw invalid('The cursor names more partitions than its topic has')
  const positions = new Array<number>(count)
  for (let partition = 0; partition < positions.length; partition++) positions[partition] = readVarint(input) - 1
  if (input.at !== end) throw invalid()
  return { positions, epoch, fingerprint: said && fingerprintOf(said, positions) }
}

/** A fingerprint as it is written: `between` offsets lie between it and the position. */
interface WrittenFingerprint {
  readonly partition: number
  readonly timestamp: number
  readonly between: number
}

/** The positions themselves, in nearly all cases. */
function sayablePositions(positions: Vector): Vector {
  let isSayable = positions.length > 0 && positions.length <= MAX_PARTITIONS
  for (let partition = 0; isSayable && partition < positions.length; partition++) {
    isSayable = isOffset(positions[partition] as number)
  }
  if (isSayable) return positions
  const said = positions.slice(0, MAX_PARTITIONS).map((offset) => {
    if (isOffset(offset)) return offset
    return offset >= 0 ? Math.min(Math.floor(offset), MAX_OFFSET) : UNKNOWN
  })
  return said.length > 0 ? said : [UNKNOWN]
}

function isOffset(offset: number): boolean {
  return Number.isInteger(offset) && offset >= UNKNOWN && offset <= MAX_OFFSET
}

function sayable(
  { partition, offset, timestamp }: Fingerprint,
  positions: Vector,
  version: number,
): WrittenFingerprint | undefined {
  // Also correct for a partition without a position: no fingerprint is that far before it.
  const between = (positions[partition] ?? UNKNOWN) - 1 - offset
  const isNear = isOffset(offset) && between >= 0 && between <= (version > 1 ? MAX_BETWEEN : 0)
  return isNear && offset >= 0 ? { partition, timestamp: storedTimestamp(timestamp), between } : undefined
}

function readFingerprint(input: Input, version: number): WrittenFingerprint {
  const [partition, timestamp] = [readUint(input, 1), readUint(input, 6)]
  return { partition, timestamp, between: version > 1 ? readUint(input, 1) : 0 }
}

function fingerprintOf({ partition, timestamp, between }: WrittenFingerprint, positions: Vector): Fingerprint {
  const offset = (positions[partition] ?? UNKNOWN) - 1 - between
  if (offset < 0) throw invalid()
  return { partition, offset, timestamp }
}

/** CRC-32 of the topic's name: it detects a cursor of another topic without repeating the name in each. */
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

/** Whether a fingerprint may be of an event: a decoded one has only the stored form of its timestamp. */
export function mayBeOf(fingerprint: Fingerprint, { timestamp }: Pick<Fingerprint, 'timestamp'>): boolean {
  return storedTimestamp(fingerprint.timestamp) === storedTimestamp(timestamp)
}
