import { type NotAppended, SourceUnavailable } from '../port.ts'
import { unavailable } from './failures.ts'
import { createClient, METADATA_MAX_AGE_MS, RETRY, stablePartitioner } from './kafkajs.ts'
import type { KafkaOptions } from './options.ts'
import type { ConnectedProducer } from './sink.ts'

/**
 * An idempotent producer. Each broker of the list is the first to be asked in turn: one may answer with addresses at
 * which nobody is, and kafkajs asks no other then.
 * @throws SourceUnavailable when no broker can be reached.
 */
export async function connectProducer(options: KafkaOptions): Promise<ConnectedProducer> {
  for (let first = 0; ; first++) {
    const brokers = [...options.brokers.slice(first), ...options.brokers.slice(0, first)]
    try {
      return await connectBy({ ...options, brokers })
    } catch (error) {
      if (first + 1 >= options.brokers.length) throw error
    }
  }
}

async function connectBy(options: KafkaOptions): Promise<ConnectedProducer> {
  const client = createClient(options)
  const producer = client.kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: stablePartitioner,
    allowAutoTopicCreation: false,
    metadataMaxAge: METADATA_MAX_AGE_MS,
    retry: RETRY,
  })
  const end = () => client.end(producer.disconnect())
  try {
    await producer.connect()
  } catch (error) {
    await end()
    throw unavailable(error, refusalOf(error, 1) ?? 'unsent')
  }
  return {
    async send(topic, records) {
      const messages = records.map(({ key, value, headers, partition, timestamp }) => ({
        key,
        value,
        ...(headers === undefined ? {} : { headers: { ...headers } }),
        ...(partition === undefined ? {} : { partition }),
        ...(timestamp === undefined ? {} : { timestamp: String(timestamp) }),
      }))
      try {
        const taken = await producer.send({ topic, acks: -1, messages })
        // kafkajs silently drops records for a partition that it does not know.
        const known = new Set(taken.map((each) => each.partition))
        const lost = records.find((record) => record.partition !== undefined && !known.has(record.partition))
        if (lost) throw new SourceUnavailable(`Topic "${topic}" has no partition ${lost.partition}`)
      } catch (error) {
        throw unavailable(error, refusalOf(error, records.length))
      }
    },
    end,
  }
}

/** By kafkajs's name of the error: brokers refuse a topic as a whole, for these reasons. */
const OF_TOPIC: Readonly<Record<string, NotAppended>> = {
  TOPIC_AUTHORIZATION_FAILED: 'denied',
  CLUSTER_AUTHORIZATION_FAILED: 'denied',
  UNKNOWN_TOPIC_OR_PARTITION: 'unknown_topic',
}
const OF_RECORD = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])

/** Of several records, those of other partitions may have been appended where one was too large. */
function refusalOf(error: unknown, records: number): NotAppended | undefined {
  const { type = '' } = rootOf(error) as { readonly type?: string }
  if (OF_RECORD.has(type)) return records === 1 ? 'too_large' : undefined
  return OF_TOPIC[type]
}

/** kafkajs wraps an error in those of its retries. */
function rootOf(error: unknown): object {
  let root = error
  for (let depth = 0; depth < MAX_WRAPPED; depth++) {
    const cause = (root as { readonly cause?: unknown } | undefined)?.cause
    if (typeof cause !== 'object' || cause === null) break
    root = cause
  }
  return typeof root === 'object' && root !== null ? root : {}
}

/** Errors that are wrapped deeper than this are unknown ones. */
const MAX_WRAPPED = 5
