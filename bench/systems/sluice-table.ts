/**
 * The gateway over an embedded log with a table of ROWS rows, for `table`. It answers a line on its input with its CPU
 * time so far, in ms.
 */
import { createInterface } from 'node:readline'
import { pino } from 'pino'
import { readConfig } from '../../src/config.ts'
import { startGateway } from '../../src/gateway.ts'
import { ordersGateway } from '../../src/orders-gateway.ts'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import { REGIONS } from '../../src/streams/topics/orders.ts'
import { regionSalesKey } from '../../src/streams/topics/region-sales.ts'

const PARTITIONS = 6
const MINUTE_MS = 60_000
const START = Date.parse('2026-11-27T10:15:00.000Z')

const embedded = createEmbeddedLog()
embedded.createTopic('orders', PARTITIONS)
embedded.createTopic('region-sales', PARTITIONS)
const records = Array.from({ length: Number(process.env.ROWS) }, (_, n) => {
  const region = REGIONS[n % REGIONS.length] as string
  const minute = new Date(START + Math.floor(n / REGIONS.length) * MINUTE_MS).toISOString()
  const value = JSON.stringify({ region, minute, orders: n, sales: `${n}.00` })
  return { key: regionSalesKey(region, minute), value }
})
await embedded.sink.send('region-sales', records)
const config = readConfig(process.env, { embedded: true })
const log = pino({ level: config.LOG_LEVEL }, pino.destination({ fd: 2 }))
const gateway = await startGateway({ ...ordersGateway, config, log, embedded })
createInterface({ input: process.stdin }).on('line', () => {
  const { user, system } = process.cpuUsage()
  console.log(JSON.stringify({ cpuMs: (user + system) / 1000 }))
})
process.once('SIGTERM', () => void gateway.close().then(() => process.exit(0)))
