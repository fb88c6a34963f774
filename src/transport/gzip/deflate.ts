import { constants, deflateRawSync } from 'node:zlib'

/** Limit of a stored block (RFC 1951 section 3.2.4), and its head: the type, and the length twice. */
const STORED_BYTES = 0xff_ff
const STORED_HEAD_BYTES = 5
/**
 * A window of 8 KiB holds a dictionary and more. zlib allocates and clears its tables for each unit, and with its default
 * sizes that took up to twice as long; units from 300 bytes to 64 KiB were no larger for it.
 */
const TABLES = { windowBits: 13, memLevel: 6 }

/**
 * Deflate blocks (RFC 1951) for the bytes, ended at a byte boundary, so that any others may follow, and a decoder can
 * output them at once. `dictionary`: what the connection has carried just before.
 */
export function deflated(bytes: Buffer, level: number, dictionary?: Buffer): Buffer {
  const chunkSize = Math.max(constants.Z_MIN_CHUNK, bytes.length)
  const options = { ...TABLES, level, chunkSize, finishFlush: constants.Z_SYNC_FLUSH }
  const result = deflateRawSync(bytes, dictionary ? { ...options, dictionary } : options)
  // Copied: the result is a part of a chunk, which is as large as the plain bytes, and would be kept with it.
  return result.length < bytes.length ? Buffer.from(result) : stored(bytes)
}

/** The bytes as they are, in stored blocks. */
export function stored(bytes: Buffer): Buffer {
  const blocks = Math.ceil(bytes.length / STORED_BYTES)
  const result = Buffer.allocUnsafe(bytes.length + blocks * STORED_HEAD_BYTES)
  let to = 0
  for (let from = 0; from < bytes.length; from += STORED_BYTES) {
    const length = Math.min(STORED_BYTES, bytes.length - from)
    result[to] = 0
    result.writeUInt16LE(length, to + 1)
    result.writeUInt16LE(~length & 0xff_ff, to + 3)
    to += STORED_HEAD_BYTES
    to += bytes.copy(result, to, from, from + length)
  }
  return result
}

/** Head of a gzip stream (RFC 1952): no name, no time, an unknown system. */
export const GZIP_HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
/** An empty last block. */
const LAST_BLOCK = Buffer.from([3, 0])

/** End of a gzip stream: the last block, the checksum of what it decodes to, and its length modulo 2^32. */
export function gzipEnd(crc: number, length: number): Buffer {
  const end = Buffer.allocUnsafe(LAST_BLOCK.length + 8)
  LAST_BLOCK.copy(end)
  end.writeInt32LE(crc, LAST_BLOCK.length)
  end.writeInt32LE(length, LAST_BLOCK.length + 4)
  return end
}
