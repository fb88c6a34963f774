import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { type Ask, versionOf } from './request.ts'

const API_KEY = 23
const API_NAME = 'OffsetForLeaderEpoch'
const VERSION = 3
/** Replica id of a client that is not a broker. */
const CONSUMER = -1

export interface WantedEpoch {
  readonly topic: string
  readonly partition: number
  /** Of the leader, as the metadata has it: an older or newer leader refuses the question. */
  readonly currentLeaderEpoch: number
  /** Of the last record that was read. */
  readonly leaderEpoch: number
}

export interface EpochEnd {
  readonly topic: string
  readonly partition: number
  readonly error: number
  /** The largest epoch of the log that is not above the one asked for; -1: there is none. */
  readonly leaderEpoch: number
  /** Where the log of that epoch ends; -1: unknown. */
  readonly endOffset: number
}

/** Where the log of an epoch ends on the leader: below what was read, if the log was truncated there (KIP-320). */
export function offsetForLeaderEpoch(wanted: readonly WantedEpoch[]): Ask<readonly EpochEnd[]> {
  return (versions) => {
    const body = new ByteWriter().int32(CONSUMER)
    body.array([...Map.groupBy(wanted, ({ topic }) => topic)], ([topic, partitions]) => {
      body.string(topic).array(partitions, ({ partition, currentLeaderEpoch, leaderEpoch }) => {
        body.int32(partition).int32(currentLeaderEpoch).int32(leaderEpoch)
      })
    })
    const apiVersion = versionOf(versions, API_KEY, API_NAME, [VERSION])
    return { apiKey: API_KEY, apiVersion, apiName: API_NAME, body, decode }
  }
}

function decode(response: Buffer): EpochEnd[] {
  const reader = new ByteReader(response)
  reader.int32() // throttle time
  const topics = reader.array(() => {
    const topic = reader.string()
    return reader.array(() => {
      const [error, partition, leaderEpoch, endOffset] = [
        reader.int16(),
        reader.int32(),
        reader.int32(),
        reader.int64(),
      ]
      return { topic, partition, error, leaderEpoch, endOffset }
    })
  })
  return topics.flat()
}
