import { type PartitionRange, SourceUnavailable } from '../port.ts'
import { answerOf, unavailable } from './failures.ts'
import type { FetchNotes } from './overrides.ts'
import type { FetchAnswer, FetchConnection, Wanted } from './partition-fetcher.ts'
import { type KafkaRecord, rawRecord } from './protocol/record.ts'

/** No long poll: with no records the broker answers at once. */
const FETCH_MIN_BYTES = 0
/** It therefore only bounds reads from remote storage. */
const FETCH_WAIT_MS = 500
const READ_COMMITTED = 1
/** Timestamp that stands for the earliest offset in a ListOffsets request. */
const EARLIEST = -2
const LATEST = -1

/** The part of kafkajs's internal broker pool that is used here, as in the known version. */
export interface BrokerPool {
  readonly metadata: { readonly topicMetadata: readonly TopicMetadata[] } | null
  connect(): Promise<void>
  disconnect(): Promise<void>
  refreshMetadata(topics: readonly string[]): Promise<void>
  findBroker(broker: { nodeId: number }): Promise<Broker>
}
interface TopicMetadata {
  readonly topic: string
  readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[]
}
interface Broker {
  fetch(request: object): Promise<{ readonly answers: readonly TopicAnswer<FetchedPartition>[] }>
  listOffsets(request: object): Promise<{ readonly responses: readonly TopicAnswer<{ readonly offset: string }>[] }>
}
interface TopicAnswer<P> {
  readonly partitions: readonly P[]
}
interface FetchedPartition {
  readonly lastStableOffset: string
  readonly messages: readonly KafkaRecord[] & FetchNotes
}

const CREATE_CLUSTER = 'private:Kafka:createCluster'

/** A separate broker pool of this kafkajs client, apart from its consumers, producers and admins. */
export function brokerPoolOf(kafka: object, metadataMaxAge: number): BrokerPool {
  const name = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === CREATE_CLUSTER)
  if (!name) throw new SourceUnavailable('This kafkajs has no pool of brokers where it is looked for')
  const createCluster = (kafka as Record<symbol, (options: object) => { brokerPool: BrokerPool }>)[name]
  const options = { metadataMaxAge, allowAutoTopicCreation: false, isolationLevel: READ_COMMITTED }
  return (createCluster as NonNullable<typeof createCluster>)(options).brokerPool
}

/**
 * Requests to the leaders of partitions, without a consumer group.
 * Requests to one broker are serialized. A broker answers the requests of a connection in order anyway. kafkajs would
 * open a connection for each request that precedes the first connection, and it mistakes a response during
 * re-authentication for that of the authentication. Leaders are cached here by topic: kafkajs returns no leader of any
 * topic while one topic has none.
 */
export class Brokers implements FetchConnection {
  readonly #pool: BrokerPool
  readonly #close: (disconnected: Promise<void>) => Promise<void>
  /** By topic (the few that the gateway serves) and partition. */
  readonly #leaders = new Map<string, Map<number, number>>()
  /** Compression ratio of each topic, from the last response; at least 1. */
  readonly #expansion = new Map<string, number>()
  readonly #queues = new Map<number, Promise<unknown>>()
  #metadataTurn: Promise<unknown> = Promise.resolve()

  /** `close` destroys the connections if an orderly disconnect takes too long. */
  constructor(pool: BrokerPool, close: (disconnected: Promise<void>) => Promise<void>) {
    this.#pool = pool
    this.#close = close
  }

  connect(): Promise<void> {
    return this.#pool.connect()
  }

  end(): Promise<void> {
    return this.#close(this.#pool.disconnect())
  }

  forgetLeader(topic: string, partition: number): void {
    this.#leaders.get(topic)?.delete(partition)
  }

  async fetch({ topic, partition, offset, maxBytes }: Wanted, signal: AbortSignal): Promise<FetchAnswer> {
    const { answers } = await this.#askLeader(topic, partition, (broker) => {
      signal.throwIfAborted()
      const compressedBytes = Math.ceil(maxBytes / (this.#expansion.get(topic) ?? 1))
      return broker.fetch({
        isolationLevel: READ_COMMITTED,
        maxWaitTime: FETCH_WAIT_MS,
        minBytes: FETCH_MIN_BYTES,
        maxBytes: compressedBytes,
        topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes: compressedBytes }] }],
      })
    })
    const fetched = answers[0]?.partitions[0]
    // A broker that throttles this client returns no partition. kafkajs delays its next request.
    if (!fetched) return { kind: 'throttled' }
    const { messages, lastStableOffset } = fetched
    if (messages.outOfRange) return { kind: 'out_of_range' }
    if (messages.length > 0 && messages.bytes) {
      const bytes = messages.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0)
      this.#expansion.set(topic, Math.max(1, bytes / messages.bytes))
    }
    const nextOffset = messages.nextOffset ?? offset
    // Record batches are returned whole, also when `offset` is within one.
    const records = messages.filter((message) => Number(message.offset) >= offset)
    return {
      kind: 'records',
      records: records.map((record) => rawRecord(partition, record)),
      nextOffset,
      // The broker may read beyond the end offset that it looked up before.
      endOffset: Math.max(Number(lastStableOffset), nextOffset),
    }
  }

  async range(topic: string, partition: number): Promise<PartitionRange> {
    const end = async (timestamp: number): Promise<number> => {
      const topics = [{ topic, partitions: [{ partition, timestamp }] }]
      const ask = (broker: Broker) => broker.listOffsets({ replicaId: -1, isolationLevel: READ_COMMITTED, topics })
      const { responses } = await this.#askLeader(topic, partition, ask)
      const answer = responses[0]?.partitions[0]
      if (!answer) throw new SourceUnavailable(`Kafka did not say what partition ${partition} of "${topic}" holds`)
      return Number(answer.offset)
    }
    const earliest = await end(EARLIEST)
    return { partition, earliest, next: await end(LATEST) }
  }

  async #askLeader<T>(topic: string, partition: number, ask: (broker: Broker) => Promise<T>): Promise<T> {
    const nodeId = this.#leaders.get(topic)?.get(partition) ?? (await this.#findLeader(topic, partition))
    const answer = (this.#queues.get(nodeId) ?? Promise.resolve()).then(async () =>
      ask(await this.#pool.findBroker({ nodeId })),
    )
    this.#queues.set(
      nodeId,
      answer.catch(() => {}), // the caller handles the error; the next request is independent
    )
    return answer
  }

  /** One topic after another: kafkajs keeps the metadata of the last request only. */
  #findLeader(topic: string, partition: number): Promise<number> {
    const found = this.#metadataTurn.then(async () => {
      const known = this.#leaders.get(topic)?.get(partition)
      if (known !== undefined) return known // found by an earlier call
      await this.#pool.refreshMetadata([topic]).catch((error: unknown) => {
        // Kafka's answer is final: kafkajs has already retried while there was no leader.
        throw answerOf(error) === undefined ? error : unavailable(error)
      })
      const partitions = this.#pool.metadata?.topicMetadata.find((each) => each.topic === topic)?.partitionMetadata
      this.#leaders.set(topic, new Map(partitions?.map(({ partitionId, leader }) => [partitionId, leader])))
      const leader = this.#leaders.get(topic)?.get(partition)
      if (leader === undefined) throw new SourceUnavailable(`Topic "${topic}" has no partition ${partition}`)
      return leader
    })
    this.#metadataTurn = found.catch(() => {})
    return found
  }
}
