import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { type Ask, type Request, versionOf } from './request.ts'

const API_KEY = 3
const API_NAME = 'Metadata'
/** The first version with topic ids (Kafka 2.8), and the first with leader epochs (Kafka 2.1). */
const WITH_TOPIC_IDS = 10
const WITH_EPOCHS = 7
const NO_TOPIC_ID = '0'.repeat(32)
const NO_ID = Buffer.alloc(16)

export interface Metadata {
  readonly brokers: readonly BrokerAddress[]
  readonly topics: readonly TopicMetadata[]
}

export interface BrokerAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export interface TopicMetadata {
  /** Error code (error-codes.ts); 0: none. */
  readonly error: number
  readonly name: string
  /** A recreated topic has another; undefined where the broker knows none. */
  readonly id: string | undefined
  readonly partitions: readonly PartitionMetadata[]
  /** What this user may do, as bits by operation number; undefined where it was not asked, or the broker is too old. */
  readonly operations: number | undefined
}

export interface PartitionMetadata {
  readonly error: number
  readonly partition: number
  /** -1: there is none. */
  readonly leader: number
  /** Grows with each election; -1: unknown. */
  readonly leaderEpoch: number
}

/** Of an answer to who has not asked for the operations. */
const NOT_ASKED = -(2 ** 31)

/**
 * The brokers, and where these topics are. Topics are not created by asking.
 * @param withOperations asks for what the user may do, too: it costs the broker a look at all access rules
 */
export function metadata(topics: readonly string[], withOperations = false): Ask<Metadata> {
  return (versions) => {
    const version = versionOf(versions, API_KEY, API_NAME, [WITH_TOPIC_IDS, WITH_EPOCHS])
    return version === WITH_TOPIC_IDS ? flexible(topics, withOperations) : plain(topics)
  }
}

function flexible(topics: readonly string[], withOperations: boolean): Request<Metadata> {
  const body = new ByteWriter().noTags() // of the header
  body.compactArray(topics, (topic) => body.bytes(NO_ID).compactString(topic).noTags())
  body
    .int8(0)
    .int8(0)
    .int8(withOperations ? 1 : 0)
    .noTags()
  return { apiKey: API_KEY, apiVersion: WITH_TOPIC_IDS, apiName: API_NAME, body, decode: readFlexible }
}

function plain(topics: readonly string[]): Request<Metadata> {
  const body = new ByteWriter()
  body.array(topics, (topic) => body.string(topic)).int8(0)
  return { apiKey: API_KEY, apiVersion: WITH_EPOCHS, apiName: API_NAME, body, decode: readPlain }
}

function readFlexible(response: Buffer): Metadata {
  const reader = new ByteReader(response)
  reader.skipTags() // of the header
  reader.int32() // throttle time: the broker delays by itself
  const brokers = reader.compactArray(() => {
    const broker = { nodeId: reader.int32(), host: reader.compactString(), port: reader.int32() }
    reader.compactNullableString() // rack
    reader.skipTags()
    return broker
  })
  reader.compactNullableString() // cluster id
  reader.int32() // controller
  const topics = reader.compactArray(() => {
    const [error, name, id] = [reader.int16(), reader.compactString(), reader.uuid()]
    reader.int8() // internal
    const partitions = reader.compactArray(() => {
      const partition = partitionOf(reader)
      for (let list = 0; list < 3; list++) reader.compactArray(() => reader.int32()) // replicas: all, in sync, offline
      reader.skipTags()
      return partition
    })
    const operations = reader.int32()
    reader.skipTags()
    return {
      error,
      name,
      id: id === NO_TOPIC_ID ? undefined : id,
      partitions,
      operations: operations === NOT_ASKED ? undefined : operations,
    }
  })
  return { brokers, topics }
}

function readPlain(response: Buffer): Metadata {
  const reader = new ByteReader(response)
  reader.int32() // throttle time
  const brokers = reader.array(() => {
    const broker = { nodeId: reader.int32(), host: reader.string(), port: reader.int32() }
    reader.nullableString() // rack
    return broker
  })
  reader.nullableString() // cluster id
  reader.int32() // controller
  const topics = reader.array(() => {
    const [error, name] = [reader.int16(), reader.string()]
    reader.int8() // internal
    const partitions = reader.array(() => {
      const partition = partitionOf(reader)
      for (let list = 0; list < 3; list++) reader.array(() => reader.int32())
      return partition
    })
    return { error, name, id: undefined, partitions, operations: undefined }
  })
  return { brokers, topics }
}

function partitionOf(reader: ByteReader): PartitionMetadata {
  const [error, partition, leader, leaderEpoch] = [reader.int16(), reader.int32(), reader.int32(), reader.int32()]
  return { error, partition, leader, leaderEpoch }
}
