import { randomUUID } from 'node:crypto'
import { explain } from './failures.ts'
import {
  createClient,
  type EachBatchPayload,
  fetchListeners,
  type KafkaMessage,
  METADATA_MAX_AGE_MS,
  RETRY,
} from './kafkajs.ts'
import type { KafkaOptions } from './options.ts'
import type { FetchNotes } from './overrides.ts'
import { rawRecord } from './protocol/record.ts'
import type { ConsumerEvents, GroupConsumer } from './reader.ts'

/** Prefix of every group id, for the access rules (ACLs) of a cluster. */
const GROUP_PREFIX = 'sluice-'
/** Longest wait of a fetch that finds nothing. One that finds a byte (`FETCH_MIN_BYTES`) is answered at once. */
const FETCH_WAIT_MS = 500
const FETCH_MIN_BYTES = 1
/**
 * Of one partition: some hundred events. All instances then read the partitions in nearly the same order, also one that
 * catches up, so that a client that changes the instance soon shares the frames of its group. A larger record batch is
 * returned all the same.
 */
const FETCH_PARTITION_BYTES = 128 * 1024
/** Of one broker's response, compressed. The reader holds a few of these in memory. */
const FETCH_BYTES = 8 * 1024 * 1024
const SESSION_TIMEOUT_MS = 30_000
const HEARTBEAT_MS = 3_000

/**
 * A new group for each consumer, with one member: in a reused group, the former member's session would have to expire.
 */
export function startConsumer(options: KafkaOptions, topics: readonly string[], events: ConsumerEvents): GroupConsumer {
  const client = createClient(options)
  const groupId = `${GROUP_PREFIX}${randomUUID()}`
  const consumer = client.kafka.consumer({
    groupId,
    metadataMaxAge: METADATA_MAX_AGE_MS,
    sessionTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: HEARTBEAT_MS,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    minBytes: FETCH_MIN_BYTES,
    maxBytesPerPartition: FETCH_PARTITION_BYTES,
    maxBytes: FETCH_BYTES,
    readUncommitted: false,
    allowAutoTopicCreation: false,
    retry: { ...RETRY, restartOnFailure: async () => false },
  })
  fetchListeners.set(groupId, (error) => events.fetchFailed(error))
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => events.joined(payload.memberAssignment))
  consumer.on(consumer.events.FETCH_START, ({ payload }) => events.fetchBegan(String(payload.nodeId)))
  consumer.on(consumer.events.FETCH, ({ payload }) => events.fetchEnded(String(payload.nodeId)))
  const crashed = (error: Error) => events.crashed(new Error(explain(error), { cause: error }))
  consumer.on(consumer.events.CRASH, ({ payload }) => crashed(payload.error))

  const run = async () => {
    await consumer.connect()
    await consumer.subscribe({ topics: [...topics] })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => {
        const fetched = fetchedBatch(payload)
        if (await events.batch(fetched)) payload.resolveOffset(String(fetched.nextOffset - 1))
      },
    })
  }
  run().catch(crashed)

  /** kafkajs throws between two groups. That may be ignored: each join sets all positions again. */
  const whileJoined = (act: () => void) => {
    try {
      act()
    } catch (error) {
      options.log('debug', 'The consumer has no group at the moment', { err: error })
    }
  }
  return {
    seek: (topic, partition, offset) => whileJoined(() => consumer.seek({ topic, partition, offset: String(offset) })),
    pause: (topic, partition) => whileJoined(() => consumer.pause([{ topic, partitions: [partition] }])),
    resume: (topic, partition) => whileJoined(() => consumer.resume([{ topic, partitions: [partition] }])),
    async stop() {
      await client.end(consumer.disconnect())
      fetchListeners.delete(groupId)
    },
  }
}

function fetchedBatch({ batch }: EachBatchPayload): Parameters<ConsumerEvents['batch']>[0] {
  // `fetchedOffset` is not in kafkajs's types; the notes are ours (`overrides.ts`).
  const { fetchedOffset, rawMessages } = batch as unknown as {
    fetchedOffset: string
    rawMessages: KafkaMessage[] & FetchNotes
  }
  const { topic, partition } = batch
  const last = rawMessages.at(-1)
  const nextOffset = rawMessages.nextOffset ?? (last ? Number(last.offset) + 1 : Number(fetchedOffset))
  return {
    topic,
    partition,
    fetchedOffset: Number(fetchedOffset),
    nextOffset,
    outOfRange: rawMessages.outOfRange ?? false,
    // The broker may read beyond the end offset that it looked up before.
    endOffset: Math.max(Number(batch.highWatermark), nextOffset),
    records: () => batch.messages.map((message) => rawRecord(partition, message)),
  }
}
