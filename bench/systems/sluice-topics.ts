/**
 * The gateway with the topics named in TOPICS, separated by commas, for the scenario `start`. When it is ready, and
 * RESTS_MS later, it writes a line of JSON: what it has read, keeps and takes.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { pino } from 'pino'
import { readConfig } from '../../src/config.ts'
import { startGateway } from '../../src/gateway.ts'
import { createBuilder } from '../../src/schema/builder.ts'
import { defineTopic } from '../../src/streams/topic/topic.ts'
import { OrderEvent } from '../../src/streams/topics/orders.ts'

const LOOK_EVERY_MS = 2
/** Until what the fill has left behind is collected, and given back. */
const REST_MS = 3_000

const names = (process.env.TOPICS ?? '').split(',')
const topics = names.map((name) => defineTopic(name, { schema: OrderEvent, index: ['region', 'merchantId'] }))
const config = readConfig(process.env)
const log = pino({ level: config.LOG_LEVEL }, pino.destination({ fd: 2 }))
const builder = createBuilder()
builder.queryType({ fields: (t) => ({ topics: t.int({ resolve: () => topics.length }) }) })
const began = performance.now()
const gateway = await startGateway({ schema: builder.toSchema(), config, log, topics })
process.once('SIGTERM', () => void gateway.close().then(() => process.exit(0)))
while (!gateway.streams.readiness().ready) await delay(LOOK_EVERY_MS)
const now = performance.now()
const feeds = topics.map((topic) => gateway.streams.feed(topic))
const decoded = feeds.reduce((sum, { events }) => sum + events, 0)
const kept = feeds.reduce((sum, { window }) => sum + window.nextSeq - window.firstSeq, 0)
/** With the start of Node and of the modules, and without. */
const times = { readyMs: now, ownMs: now - began }
await delay(REST_MS)
const before = process.cpuUsage()
const since = performance.now()
await delay(REST_MS)
const { user, system } = process.cpuUsage(before)
const idleMsPerSecond = (user + system) / (performance.now() - since)
console.log(JSON.stringify({ ...times, decoded, kept, rss: process.memoryUsage.rss(), idleMsPerSecond }))
