import { type PartitionRange, SourceUnavailable } from '../port.ts'
import { answerOf, unavailable } from './failures.ts'
import type { FetchNotes } from './overrides.ts'
import type { FetchAnswer, FetchConnection, Wanted } from './partition-fetcher.ts'
import { type KafkaRecord, rawRecord } from './protocol/record.ts'

/** Not to be waited for: with nothing to read the broker answers at once. */
const FETCH_MIN_BYTES = 0
/** So this is only for what a broker has to get from remote storage first. */
const FETCH_WAIT_MS = 500
const READ_COMMITTED = 1
/** What stands for a timestamp when the ends of a partition are asked for. */
const EARLIEST = -2
const LATEST = -1

/** What is used of kafkajs's pool of brokers, which is not its public interface: as it is in the version that is known. */
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

/** The pool of brokers of a cluster that belongs to no consumer, no producer and no admin of this kafkajs client. */
export function brokerPoolOf(kafka: object, metadataMaxAge: number): BrokerPool {
  const name = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === CREATE_CLUSTER)
  if (!name) throw new SourceUnavailable('This kafkajs has no pool of brokers where it is looked for')
  const createCluster = (kafka as Record<symbol, (options: object) => { brokerPool: BrokerPool }>)[name]
  const options = { metadataMaxAge, allowAutoTopicCreation: false, isolationLevel: READ_COMMITTED }
  return (createCluster as NonNullable<typeof createCluster>)(options).brokerPool
}

/**
 * Asks the leaders of partitions, without a consumer group.
 *
 * Of each broker one question at a time: it answers a connection's questions one after another anyway, while kafkajs
 * would open a connection for each question that comes before the first is open, and take an answer that comes while
 * it renews its authentication for that of the authentication. Leaders are kept here by topic, since kafkajs knows no
 * leader of any topic while one topic has none.
 */
export class Brokers implements FetchConnection {
  readonly #pool: BrokerPool
  readonly #close: (disconnected: Promise<void>) => Promise<void>
  /** By topic, which are the few that the gateway serves, and partition. */
  readonly #leaders = new Map<string, Map<number, number>>()
  /** By topic, how many times larger its records are than they were in the last answer, compressed; at least 1. */
  readonly #expansion = new Map<string, number>()
  readonly #queues = new Map<number, Promise<unknown>>()
  #metadataTurn: Promise<unknown> = Promise.resolve()

  /** `close` cuts the connections, should disconnecting in good order take too long. */
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
    // A broker that throttles this client answers without any partition; kafkajs waits before its next question.
    if (!fetched) return { kind: 'throttled' }
    const { messages, lastStableOffset } = fetched
    if (messages.outOfRange) return { kind: 'out_of_range' }
    if (messages.length > 0 && messages.bytes) {
      const bytes = messages.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0)
      this.#expansion.set(topic, Math.max(1, bytes / messages.bytes))
    }
    const nextOffset = messages.nextOffset ?? offset
    // Record batches come whole, also when `offset` is within one.
    const records = messages.filter((message) => Number(message.offset) >= offset)
    return {
      kind: 'records',
      records: records.map((record) => rawRecord(partition, record)),
      nextOffset,
      // The broker may read further than the end it looked up before.
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
      answer.catch(() => {}), // who asked hears of it; the next has a turn of its own
    )
    return answer
  }

  /** One topic after another: kafkajs keeps what it heard last. */
  #findLeader(topic: string, partition: number): Promise<number> {
    const found = this.#metadataTurn.then(async () => {
      const known = this.#leaders.get(topic)?.get(partition)
      if (known !== undefined) return known // by whoever asked before
      await this.#pool.refreshMetadata([topic]).catch((error: unknown) => {
        // Kafka's answer is final: where it is that there is no leader yet, kafkajs has tried again.
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
