import { pino } from 'pino'
import type { Config } from '../../config.ts'
import { authenticates } from '../../config-gate.ts'
import type { GatewayDefinition } from '../../definition.ts'
import { kafkaOf } from '../../kafka-log.ts'
import { MAX_PARTITIONS } from '../../streams/cursor/vector.ts'
import type { KafkaLog } from '../../streams/source/kafka/kafka.ts'
import type { TopicFacts } from '../../streams/source/kafka/topic-facts.ts'
import type { Topic } from '../../streams/topic/topic.ts'
import { newestRecords } from '../init/sample/newest.ts'
import { type Finding, found, topicNamed } from './finding.ts'
import { checkSample } from './sample.ts'

/** Of one topic, all questions together: one that cannot be read does not stop the others. */
const TOPIC_MS = 60_000
/** Topics that are looked at together. */
const AT_ONCE = 4
const DAY_MS = 24 * 3600 * 1000

/** What Kafka says of a gateway's topics, one finding after another. */
export async function* checkConnection(definition: GatewayDefinition, config: Config): AsyncGenerator<Finding, void> {
  const brokers = config.KAFKA_BROKERS
  if (brokers === undefined) {
    yield found('note', 'brokers', 'KAFKA_BROKERS is not set: the gateway has its own log, and there is nothing to ask')
    return
  }
  const kafka = kafkaOf(config, pino({ level: 'silent' }))
  try {
    const waiting = [...definition.topics] as Topic[]
    while (waiting.length > 0) {
      const some = waiting.splice(0, AT_ONCE)
      for (const findings of await Promise.all(some.map((topic) => checkTopic(kafka, topic, config)))) yield* findings
    }
    for (const [topic, use] of writtenTopics(definition, config)) yield* await checkWritten(kafka, topic, use, config)
  } finally {
    await kafka.close()
  }
}

async function checkTopic(kafka: KafkaLog, topic: Topic, config: Config): Promise<Finding[]> {
  const subject = topicNamed(topic.name)
  const signal = AbortSignal.timeout(TOPIC_MS)
  const late = Promise.withResolvers<Finding[]>()
  signal.addEventListener('abort', () =>
    late.resolve([found('problem', subject, `Kafka has not answered within ${TOPIC_MS / 1000} s`)]),
  )
  const looked = lookAt(kafka, topic, config, signal).catch((error: Error) => [
    found('problem', subject, error.message),
  ])
  return await Promise.race([looked, late.promise])
}

async function lookAt(kafka: KafkaLog, topic: Topic, config: Config, signal: AbortSignal): Promise<Finding[]> {
  const subject = topicNamed(topic.name)
  const facts = await kafka.describeTopic(topic.name)
  if (facts.problem !== undefined) return [found('problem', subject, facts.problem)]
  if (facts.mayRead === false) return [found('problem', subject, 'This user may not read it: it needs the right READ')]
  const findings = [partitionsOf(subject, facts), ...settingsOf(subject, topic, facts)]
  const { records, isCut } = await newestRecords(kafka.source, topic.name, signal)
  if (isCut) findings.push(found('note', subject, 'Only a part of its newest records was to be had in time'))
  const values = records.flatMap(({ value }) => value ?? [])
  await topic.codec.prepare?.(values, signal)
  return [...findings, ...checkSample(topic, records, config.MAX_EVENT_BYTES)]
}

function partitionsOf(subject: string, { partitions }: TopicFacts): Finding {
  return partitions > MAX_PARTITIONS
    ? found('problem', subject, `It has ${partitions} partitions: a cursor names ${MAX_PARTITIONS} at most`)
    : found('ok', subject, `${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`)
}

/** Where the topic's settings and its definition do not suit each other. */
function settingsOf(subject: string, { table }: Topic, { settings }: TopicFacts): Finding[] {
  if (!settings)
    return [found('note', subject, 'Its settings are not to be had: this user has no right DESCRIBE_CONFIGS')]
  const { cleanupPolicy, retentionMs, timestampType } = settings
  const isCompacted = cleanupPolicy.includes('compact')
  const isDeleted = cleanupPolicy.includes('delete')
  const days = Math.round((10 * retentionMs) / DAY_MS) / 10
  const findings = [
    found(
      'ok',
      subject,
      isDeleted && retentionMs >= 0
        ? `clients can resume within ${days} days (retention.ms)`
        : `cleanup.policy ${cleanupPolicy}`,
    ),
  ]
  if (table && !isCompacted)
    findings.push(
      found('problem', subject, 'It is defined as a table, and is not compacted: rows get lost with their age'),
    )
  if (table && isDeleted) findings.push(found('note', subject, 'Rows of the table are deleted when they are old'))
  if (!table && isCompacted)
    findings.push(
      found('note', subject, 'It is compacted: who resumes gets the latest event of each key, and no former ones'),
    )
  if (timestampType === 'CreateTime')
    findings.push(
      found('note', subject, 'Its times are those of the producers (CreateTime): since: follows their clocks'),
    )
  return findings
}

/** Topics that a gateway writes to, and what for. */
function writtenTopics(definition: GatewayDefinition, config: Config): [topic: string, use: string][] {
  const letters = definition.topics.flatMap(({ deadLetterTopic }) => deadLetterTopic ?? [])
  return [
    ...new Map([
      ...letters.map((topic): [string, string] => [topic, 'dead letters']),
      ...(config.USAGE_TOPIC === undefined ? [] : [[config.USAGE_TOPIC, 'usage'] as [string, string]]),
      [config.CONTROL_TOPIC, CONTROL],
    ]),
  ]
}

const CONTROL = 'revocations'

async function checkWritten(kafka: KafkaLog, topic: string, use: string, config: Config): Promise<Finding[]> {
  const subject = `${topicNamed(topic)} of ${use}`
  try {
    const facts = await kafka.describeTopic(topic)
    const isOwn = use === CONTROL
    if (!facts.isThere && isOwn)
      return [found('note', subject, 'It is not there: the gateway creates it, if its user has the right CREATE')]
    if (facts.problem !== undefined)
      return [found(isOwn && !authenticates(config) ? 'note' : 'problem', subject, facts.problem)]
    if (facts.mayWrite === false) return [found('problem', subject, 'This user may not write to it: it needs WRITE')]
    return [found('ok', subject, 'It can be written to')]
  } catch (error) {
    return [found('problem', subject, (error as Error).message)]
  }
}
