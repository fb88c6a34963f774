import { parseArgs } from 'node:util'
import { startBroker } from './broker.ts'
import { startCluster } from './cluster.ts'
import { KafkaMissing } from './install.ts'
import { runTool } from './tool.ts'

const TOPIC = 'orders'
/** Its latest value of each key is kept. */
const TABLE = 'region-sales'
/** Some 400 MB of memory each. */
const MOST_BROKERS = 9

const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '1' },
    port: { type: 'string' },
    partitions: { type: 'string', default: '6' },
    help: { type: 'boolean', short: 'h' },
  },
})
if (values.help) {
  console.log(`npm run kafka -- [--brokers 1] [--port 9092] [--partitions 6]
A Kafka broker on this machine, until Ctrl-C. With more than one, a cluster: the port is the first broker's, the others'
follow, and topics are replicated.`)
  process.exit(0)
}
const brokers = Number(values.brokers)
if (!(Number.isInteger(brokers) && brokers >= 1 && brokers <= MOST_BROKERS)) {
  console.error(`--brokers is a number from 1 to ${MOST_BROKERS}, not ${values.brokers}`)
  process.exit(1)
}

// Before the start, which takes seconds: a Ctrl-C meanwhile ends this process, and that ends the brokers.
const stopped = new Promise<void>((resolve) => {
  let signals = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (++signals > 1 || !started) process.exit(130)
      resolve()
    })
  }
})
let started = false

try {
  const kafka = await start(values.port === undefined ? undefined : Number(values.port))
  started = true
  for (const [topic, ...config] of [[TOPIC], [TABLE, '--config', 'cleanup.policy=compact']] as const) {
    const create = ['--create', '--topic', topic, '--partitions', values.partitions, ...config]
    const created = await runTool('org.apache.kafka.tools.TopicCommand', [
      '--bootstrap-server',
      kafka.addresses,
      ...create,
    ])
    if (created.code === 0) continue
    await kafka.stop()
    throw new Error(created.stderr || created.stdout)
  }
  console.log(
    `Kafka is at ${kafka.addresses}, with topics ${TOPIC} and ${TABLE} in ${values.partitions} partitions, until Ctrl-C.`,
  )
  console.log(`KAFKA_BROKERS=${kafka.addresses} npm start`)
  await stopped
  await kafka.stop()
} catch (error) {
  console.error(error instanceof KafkaMissing ? error.message : error)
  process.exitCode = 1
}

async function start(port: number | undefined): Promise<{ addresses: string; stop(): Promise<void> }> {
  const log = (line: string) => console.error(line)
  if (brokers === 1) {
    const broker = await startBroker({ ...(port !== undefined && { port }), log })
    return { addresses: broker.brokers, stop: () => broker.stop() }
  }
  const cluster = await startCluster({ brokers, ...(port !== undefined && { firstPort: port }), log })
  return { addresses: cluster.bootstrap, stop: () => cluster.stop() }
}
