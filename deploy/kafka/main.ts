import { parseArgs } from 'node:util'
import { KafkaMissing, startBroker } from './broker.ts'

const TOPIC = 'orders'

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    partitions: { type: 'string', default: '6' },
    help: { type: 'boolean', short: 'h' },
  },
})
if (values.help) {
  console.log('npm run kafka -- [--port 9092] [--partitions 6]\nA Kafka broker on this machine, until Ctrl-C.')
  process.exit(0)
}

// Before the start, which takes seconds: a Ctrl-C meanwhile ends this process, and that ends the broker.
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
  const port = values.port === undefined ? {} : { port: Number(values.port) }
  const broker = await startBroker({ ...port, log: (line) => console.error(line) })
  started = true
  const create = ['--create', '--topic', TOPIC, '--partitions', values.partitions]
  const created = await broker.run('org.apache.kafka.tools.TopicCommand', [
    '--bootstrap-server',
    broker.brokers,
    ...create,
  ])
  if (created.code !== 0) {
    await broker.stop()
    throw new Error(created.stderr || created.stdout)
  }
  console.log(`Kafka is at ${broker.brokers}, with topic ${TOPIC} in ${values.partitions} partitions, until Ctrl-C.`)
  console.log(`KAFKA_BROKERS=${broker.brokers} npm start`)
  await stopped
  await broker.stop()
} catch (error) {
  console.error(error instanceof KafkaMissing ? error.message : error)
  process.exitCode = 1
}
