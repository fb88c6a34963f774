import { SourceUnavailable } from '../port.ts'
import { unavailable } from './failures.ts'
import { createClient, RETRY } from './kafkajs.ts'
import type { KafkaOptions } from './options.ts'

/** The cluster's own setting (Kafka 2.4). */
const DEFAULT_REPLICATION = -1

/**
 * Creates a compacted topic with one partition. One that another instance has created meanwhile is as good. Each broker
 * of the list is the first to be asked in turn.
 * @throws SourceUnavailable when no broker can be reached, or Kafka refuses.
 */
export async function createCompactedTopic(options: KafkaOptions, topic: string): Promise<void> {
  for (let first = 0; ; first++) {
    const brokers = [...options.brokers.slice(first), ...options.brokers.slice(0, first)]
    try {
      return await createBy({ ...options, brokers }, topic)
    } catch (error) {
      if (first + 1 >= options.brokers.length) throw refusal(error)
    }
  }
}

async function createBy(options: KafkaOptions, topic: string): Promise<void> {
  const client = createClient(options)
  const admin = client.kafka.admin({ retry: RETRY })
  try {
    await admin.connect()
    await admin.createTopics({
      waitForLeaders: false,
      topics: [
        {
          topic,
          numPartitions: 1,
          replicationFactor: DEFAULT_REPLICATION,
          configEntries: [{ name: 'cleanup.policy', value: 'compact' }],
        },
      ],
    })
  } finally {
    await client.end(admin.disconnect())
  }
}

/** kafkajs throws an error of several, of which the first says why. */
function refusal(error: unknown): SourceUnavailable {
  const { errors } = error as { readonly errors?: readonly Error[] }
  const [cause = error] = errors ?? []
  const { type = '' } = cause as { readonly type?: string }
  if (!type.endsWith('_AUTHORIZATION_FAILED')) return unavailable(cause)
  return new SourceUnavailable('Kafka does not permit this user to create the topic', { cause })
}
