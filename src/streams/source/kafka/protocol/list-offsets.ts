import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { READ_COMMITTED } from './isolation.ts'
import { type Ask, versionOf } from './request.ts'

const API_KEY = 2
const API_NAME = 'ListOffsets'
/** With leader epochs (Kafka 2.1). */
const VERSION = 4

/** Timestamps with a special meaning. */
export const EARLIEST = -2
export const LATEST = -1

export interface WantedOffset {
  readonly topic: string
  readonly partition: number
  /** Milliseconds since the epoch, `EARLIEST` or `LATEST`. */
  readonly timestamp: number
}

export interface FoundOffset {
  readonly topic: string
  readonly partition: number
  readonly error: number
  /** -1: no record is as young as the timestamp. */
  readonly offset: number
}

/**
 * Offsets by timestamp under `read_committed`: the latest is before the first open transaction. A partition occurs once
 * in a request.
 */
export function listOffsets(wanted: readonly WantedOffset[]): Ask<readonly FoundOffset[]> {
  return (versions) => {
    const body = new ByteWriter().int32(-1).int8(READ_COMMITTED)
    body.array([...Map.groupBy(wanted, ({ topic }) => topic)], ([topic, partitions]) => {
      body.string(topic).array(partitions, ({ partition, timestamp }) => {
        body.int32(partition).int32(-1).int64(timestamp)
      })
    })
    const apiVersion = versionOf(versions, API_KEY, API_NAME, [VERSION])
    return { apiKey: API_KEY, apiVersion, apiName: API_NAME, body, decode }
  }
}

function decode(response: Buffer): FoundOffset[] {
  const reader = new ByteReader(response)
  reader.int32() // throttle time
  const topics = reader.array(() => {
    const topic = reader.string()
    return reader.array(() => {
      const [partition, error] = [reader.int32(), reader.int16()]
      reader.int64() // timestamp
      const offset = reader.int64()
      reader.int32() // leader epoch
      return { topic, partition, error, offset }
    })
  })
  return topics.flat()
}
