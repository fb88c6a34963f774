import { SourceUnavailable } from '../port.ts'
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
  const orUnavailable = async (act: Promise<unknown>): Promise<void> => {
    try {
      await act
    } catch (error) {
      throw unavailable(error)
    }
  }
  try {
    await orUnavailable(producer.connect())
  } catch (error) {
    await end()
    throw error
  }
  return {
    send(topic, records) {
      const messages = records.map(({ key, value, headers, partition, timestamp }) => ({
        key,
        value,
        ...(headers === undefined ? {} : { headers: { ...headers } }),
        ...(partition === undefined ? {} : { partition }),
        ...(timestamp === undefined ? {} : { timestamp: String(timestamp) }),
      }))
      return orUnavailable(
        producer.send({ topic, acks: -1, messages }).then((taken) => {
          // kafkajs silently drops records for a partition that it does not know.
          const known = new Set(taken.map((each) => each.partition))
          const lost = records.find((record) => record.partition !== undefined && !known.has(record.partition))
          if (lost) throw new SourceUnavailable(`Topic "${topic}" has no partition ${lost.partition}`)
        }),
      )
    },
    end,
  }
}
