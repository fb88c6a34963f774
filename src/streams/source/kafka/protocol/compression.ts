import { promisify } from 'node:util'
import { gunzip, gunzipSync, zstdDecompress, zstdDecompressSync } from 'node:zlib'
import { MAX_BATCH_BYTES } from './limits.ts'
import { lz4Decompress } from './lz4.ts'
import { trimmed } from './output.ts'
import { snappyDecompress } from './snappy.ts'
import type { Steps } from './steps.ts'
import { Corrupt } from './undecodable.ts'

/** Kafka's numbers, from the attributes of a record batch or a message. */
export const NONE = 0
export const GZIP = 1
export const SNAPPY = 2
export const LZ4 = 3
export const ZSTD = 4

/**
 * Compressed bytes up to which gzip and Zstandard are decompressed at once. The thread pool takes as long to be asked.
 */
const SYNC_BYTES = 16 * 1024
/** Output limit of that: some hundred microseconds. What exceeds it begins again on the thread pool. */
const SYNC_OUTPUT_BYTES = 256 * 1024
/** Each chunk of output is a job of the thread pool: large ones, for little waiting between them. */
const MIN_CHUNK_BYTES = 1024
const MAX_CHUNK_BYTES = 256 * 1024
/** Compression ratio of text at its best: the first chunk usually takes all. */
const GOOD_RATIO = 8
/** Output for which a unit of work is counted. */
const UNIT_BYTES_LOG_2 = 12

const gunzipLater = promisify(gunzip)
const zstdLater = promisify(zstdDecompress)

/**
 * Decompresses the records of a batch: gzip and Zstandard by Node, on its thread pool if they are large; Snappy and LZ4
 * here, since the packages are native or unmaintained, and the formats are small.
 * @throws Corrupt for an unknown or damaged compression, and for more than `MAX_BATCH_BYTES`.
 */
export function* decompress(type: number, bytes: Buffer): Steps<Buffer> {
  switch (type) {
    case GZIP:
      return yield* byNode('gzip', bytes, gunzipSync, gunzipLater)
    case ZSTD:
      return yield* byNode('Zstandard', bytes, zstdDecompressSync, zstdLater)
    case SNAPPY:
      return yield* snappyDecompress(bytes)
    case LZ4:
      return yield* lz4Decompress(bytes)
    default:
      throw new Corrupt(`its compression has the unknown number ${type}`)
  }
}

interface Limits {
  readonly maxOutputLength: number
  readonly chunkSize: number
}

function* byNode(
  name: string,
  bytes: Buffer,
  now: (bytes: Buffer, limits: Limits) => Buffer,
  later: (bytes: Buffer, limits: Limits) => Promise<Buffer>,
): Steps<Buffer> {
  const chunkSize = Math.max(MIN_CHUNK_BYTES, Math.min(MAX_CHUNK_BYTES, bytes.length * GOOD_RATIO))
  try {
    if (bytes.length <= SYNC_BYTES) {
      const output = atOnce(() => now(bytes, { maxOutputLength: SYNC_OUTPUT_BYTES, chunkSize }))
      if (output) {
        yield output.length >> UNIT_BYTES_LOG_2
        return trimmed(output)
      }
    }
    const output = yield later(bytes, { maxOutputLength: MAX_BATCH_BYTES, chunkSize })
    return trimmed(output as Buffer)
  } catch (error) {
    if (isTooLarge(error)) throw new Corrupt(`it has more than ${MAX_BATCH_BYTES} bytes when decompressed`)
    throw new Corrupt(`its ${name} bytes are damaged (${(error as Error).message})`)
  }
}

/** Undefined: the output is too large for that. */
function atOnce(now: () => Buffer): Buffer | undefined {
  try {
    return now()
  } catch (error) {
    if (isTooLarge(error)) return undefined
    throw error
  }
}

function isTooLarge(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
}
