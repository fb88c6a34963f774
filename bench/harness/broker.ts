/** The one broker of a run of the bench, started when a scenario first wants it. */
import { type Broker, startBroker } from '../../deploy/kafka/broker.ts'

const PARTITIONS = 6
const MIB = 1024 * 1024
/** One for each system that reads, so that none reads what another is fed. */
const TOPICS = ['orders', 'orders-yoga', 'orders-consumer']

/** Each scenario's records are of no use to the next. */
const TOPIC_CONFIG = { 'segment.bytes': 16 * MIB, 'retention.bytes': 32 * MIB, 'file.delete.delay.ms': 1000 }
const RETENTION_CHECK_MS = 5000

let starting: Promise<Broker> | undefined

/** `HOST:PORT` of a broker on the load's core, with its topics. */
export async function brokers(): Promise<string> {
  starting ??= start()
  return (await starting).brokers
}

export async function stopBroker(): Promise<void> {
  await (await starting?.catch(() => undefined))?.stop()
  starting = undefined
}

async function start(): Promise<Broker> {
  const broker = await startBroker({ properties: { 'log.retention.check.interval.ms': String(RETENTION_CHECK_MS) } })
  const config = Object.entries(TOPIC_CONFIG).flatMap(([name, value]) => ['--config', `${name}=${value}`])
  await Promise.all(
    TOPICS.map(async (topic) => {
      const create = ['--create', '--topic', topic, '--partitions', String(PARTITIONS), ...config]
      const { code, stderr, stdout } = await broker.run('org.apache.kafka.tools.TopicCommand', [
        '--bootstrap-server',
        broker.brokers,
        ...create,
      ])
      if (code !== 0) throw new Error(`The topic ${topic} was not made: ${stderr || stdout}`)
    }),
  )
  return broker
}
