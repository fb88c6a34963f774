/**
 * The gateway over an embedded log, for the scenarios that are not about Kafka: lines on FEED_PORT are appended to it.
 * All else is set as for the gateway itself.
 */
import { pino } from 'pino'
import { readConfig } from '../../src/config.ts'
import { startGateway } from '../../src/gateway.ts'
import { ordersGateway } from '../../src/orders-gateway.ts'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import { takeLines } from './line-feed.ts'

const PARTITIONS = 6
/** Nobody reads back here: what is kept would only be memory that grows while we look. */
const RETENTION_BYTES = 1024 * 1024

const embedded = createEmbeddedLog({ retentionBytes: RETENTION_BYTES })
embedded.createTopic('orders', PARTITIONS)
embedded.createTopic('region-sales', PARTITIONS)
const config = readConfig(process.env, { embedded: true })
const log = pino({ level: config.LOG_LEVEL }, pino.destination({ fd: 2 }))
const gateway = await startGateway({ ...ordersGateway, config, log, embedded })
takeLines(Number(process.env.FEED_PORT), (lines) => {
  const records = lines.map(({ partition, json }) => ({ key: null, value: json, partition }))
  void embedded.sink.send('orders', records)
})
process.once('SIGTERM', () => void gateway.close().then(() => process.exit(0)))
