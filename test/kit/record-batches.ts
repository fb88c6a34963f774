import { crc32, gzipSync, zstdCompressSync } from 'node:zlib'
import { lz4Frame, snappyBlock, xerialSnappy } from './compressors.ts'

/**
 * An encoder of Kafka's record formats, for tests of their decoder: every format, option and compression, also what no
 * producer sends. It is written after Kafka's documentation, and shares nothing with the decoder.
 */
export interface TestRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Of format 2 only. */
  readonly headers: readonly TestHeader[]
}
export type TestHeader = readonly [name: string, value: Buffer | null]

export const CODECS = ['none', 'gzip', 'snappy', 'xerial', 'lz4', 'zstd'] as const
export type Codec = (typeof CODECS)[number]

interface Options {
  readonly codec?: Codec
  /** The broker's timestamp, in place of all others. */
  readonly logAppendTime?: number | undefined
}

export interface BatchOptions extends Options {
  /** Those of the first and last record, unless compaction has removed them. */
  readonly firstOffset?: number
  readonly lastOffset?: number
  readonly leaderEpoch?: number
  readonly producerId?: bigint
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  /** Compaction has put another time into the place of the first timestamp. */
  readonly deleteHorizon?: number | undefined
}

/** Kafka's numbers of the compressions. */
const NUMBERS: Readonly<Record<Codec, number>> = { none: 0, gzip: 1, snappy: 2, xerial: 2, lz4: 3, zstd: 4 }

function compress(codec: Codec, bytes: Buffer): Buffer {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return gzipSync(bytes)
    case 'snappy':
      return snappyBlock(bytes)
    case 'xerial':
      return xerialSnappy(bytes)
    case 'lz4':
      return lz4Frame(bytes)
    case 'zstd':
      return zstdCompressSync(bytes)
  }
}

/** A record batch of format 2. */
export function recordBatch(records: readonly TestRecord[], options: BatchOptions = {}): Buffer {
  const { codec = 'none', leaderEpoch = 0, producerId = -1n, logAppendTime, deleteHorizon } = options
  const firstOffset = options.firstOffset ?? records[0]?.offset ?? 0
  const lastOffset = options.lastOffset ?? records.at(-1)?.offset ?? firstOffset
  const timestamps = records.map(({ timestamp }) => timestamp)
  const base = deleteHorizon ?? timestamps[0] ?? -1
  const max = logAppendTime ?? timestamps.reduce((one, other) => Math.max(one, other), -1)
  const attributes =
    NUMBERS[codec] |
    (logAppendTime === undefined ? 0 : 0x08) |
    (options.isTransactional ? 0x10 : 0) |
    (options.isControl ? 0x20 : 0) |
    (deleteHorizon === undefined ? 0 : 0x40)
  const body = Buffer.concat(records.map((record) => recordOf(record, firstOffset, base)))
  const checked = Buffer.concat([
    int16(attributes),
    int32(lastOffset - firstOffset),
    int64(base),
    int64(max),
    int64(producerId),
    int16(producerId === -1n ? -1 : 0),
    int32(producerId === -1n ? -1 : 0),
    int32(records.length),
    records.length === 0 ? body : compress(codec, body),
  ])
  const rest = Buffer.concat([int32(leaderEpoch), int8(2), uint32(castagnoli(checked)), checked])
  return Buffer.concat([int64(firstOffset), int32(rest.length), rest])
}

function recordOf(record: TestRecord, firstOffset: number, baseTimestamp: number): Buffer {
  const fields = Buffer.concat([
    int8(0),
    varint(BigInt(record.timestamp) - BigInt(baseTimestamp)),
    varint(record.offset - firstOffset),
    varintBytes(record.key),
    varintBytes(record.value),
    varint(record.headers.length),
    ...record.headers.flatMap(([name, value]) => [varintBytes(Buffer.from(name)), varintBytes(value)]),
  ])
  return Buffer.concat([varint(fields.length), fields])
}

export interface MessageOptions extends Options {
  /** Offset to which those of a compressed set of format 1 are relative: of the first one that was sent. */
  readonly firstOffset?: number
}

/** Messages of format 0 or 1: as many as records, or with a codec one around them all. */
export function messageSet(magic: 0 | 1, records: readonly TestRecord[], options: MessageOptions = {}): Buffer {
  const { codec = 'none', logAppendTime } = options
  const attributes = logAppendTime === undefined || magic === 0 ? 0 : 0x08
  if (codec === 'none') {
    return Buffer.concat(
      records.map(({ offset, timestamp, key, value }) =>
        message(magic, offset, logAppendTime ?? timestamp, attributes, key, value),
      ),
    )
  }
  const firstOffset = magic === 0 ? 0 : (options.firstOffset ?? records[0]?.offset ?? 0)
  const inner = records.map(({ offset, timestamp, key, value }) =>
    message(magic, offset - firstOffset, timestamp, 0, key, value),
  )
  const last = records.at(-1) ?? { offset: firstOffset, timestamp: -1 }
  const timestamp = logAppendTime ?? last.timestamp
  return compressedMessage(magic, codec, Buffer.concat(inner), last.offset, { timestamp, attributes })
}

/** A message around whatever bytes. */
export function compressedMessage(
  magic: 0 | 1,
  codec: Codec,
  inner: Buffer,
  offset: number,
  { timestamp = -1, attributes = 0 } = {},
): Buffer {
  return message(magic, offset, timestamp, attributes | NUMBERS[codec], null, compress(codec, inner))
}

function message(
  magic: 0 | 1,
  offset: number,
  timestamp: number,
  attributes: number,
  key: Buffer | null,
  value: Buffer | null,
): Buffer {
  const checked = Buffer.concat([
    int8(magic),
    int8(attributes),
    magic === 0 ? Buffer.alloc(0) : int64(timestamp),
    int32Bytes(key),
    int32Bytes(value),
  ])
  return Buffer.concat([int64(offset), int32(checked.length + 4), uint32(crc32(checked)), checked])
}

/** The end of a producer's transaction. */
export function marker(
  offset: number,
  producerId: bigint,
  type: 'abort' | 'commit',
  options: BatchOptions = {},
): Buffer {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1])
  const record = { offset, timestamp: 0, key, value: Buffer.alloc(6), headers: [] }
  return recordBatch([record], { producerId, isTransactional: true, isControl: true, ...options })
}

/** Writes the checksum anew after a change of a batch of format 2, at `at` up to `end`. */
export function repairChecksum(set: Buffer, at = 0, end = set.length): void {
  set.writeUInt32BE(castagnoli(set.subarray(at + 21, end)), at + 17)
}

/** CRC-32C by its definition, bit by bit. */
function castagnoli(bytes: Buffer): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

/** A zigzag number of variable length. */
export function varint(value: number | bigint): Buffer {
  const signed = BigInt(value)
  let rest = BigInt.asUintN(64, (signed << 1n) ^ (signed >> 63n))
  const bytes: number[] = []
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

function varintBytes(bytes: Buffer | null): Buffer {
  return bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes])
}

function int32Bytes(bytes: Buffer | null): Buffer {
  return bytes === null ? int32(-1) : Buffer.concat([int32(bytes.length), bytes])
}

function written(size: number, write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(size)
  write(bytes)
  return bytes
}
const int8 = (value: number) => written(1, (bytes) => bytes.writeInt8(value))
const int16 = (value: number) => written(2, (bytes) => bytes.writeInt16BE(value))
const int32 = (value: number) => written(4, (bytes) => bytes.writeInt32BE(value))
const uint32 = (value: number) => written(4, (bytes) => bytes.writeUInt32BE(value))
const int64 = (value: number | bigint) => written(8, (bytes) => bytes.writeBigInt64BE(BigInt(value)))
