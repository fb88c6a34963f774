import { createClient, RETRY } from './kafkajs.ts'
import type { KafkaOptions } from './options.ts'

/** Settings of a topic that matter to who reads it. */
export interface TopicSettings {
  /** `delete`, `compact`, or both, separated by a comma. */
  readonly cleanupPolicy: string
  /** -1: no limit. */
  readonly retentionMs: number
  /** `CreateTime` or `LogAppendTime`. */
  readonly timestampType: string
}

const NAMES = ['cleanup.policy', 'retention.ms', 'message.timestamp.type']
/** kafkajs's number of a topic among the kinds of resources. */
const TOPIC = 2

/** Undefined where they cannot be had: the user may not ask for them, or no broker answers. */
export async function topicSettings(options: KafkaOptions, topic: string): Promise<TopicSettings | undefined> {
  const client = createClient(options)
  const admin = client.kafka.admin({ retry: RETRY })
  try {
    await admin.connect()
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: TOPIC, name: topic, configNames: NAMES }],
    })
    const entries = resources[0]?.configEntries ?? []
    const textOf = (name: string) => entries.find((entry) => entry.configName === name)?.configValue ?? ''
    const [cleanupPolicy = '', retention = '', timestampType = ''] = NAMES.map(textOf)
    return entries.length === 0 ? undefined : { cleanupPolicy, retentionMs: Number(retention), timestampType }
  } catch {
    return undefined
  } finally {
    await client.end(admin.disconnect())
  }
}
