import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'
import { REGIONS } from '../../src/streams/topics/orders.ts'
import { GatewayProcess, READY_MS } from '../kit/gateway-process.ts'
import { startOwnBroker } from '../kit/kafka.ts'
import { until } from '../kit/until.ts'
import { TableListener } from './table-client.ts'
import { TableLog } from './table-log.ts'

export interface TablePlan {
  readonly rows: number
  /** Clients of all rows, and of one region each. */
  readonly all: number
  readonly parts: number
  readonly changesPerSecond: number
  readonly seconds: number
}

const PARTITIONS = 6
const GATEWAYS = ['g0', 'g1']
const BATCH_EVERY_MS = 20
/** One change in so many removes its row. */
const REMOVED = 20
/** One client in so many stalls for this time. */
const STALLED = 10
const STALL_MS = 4_000
/** Compacted as soon as may be, so that it is while the test runs. */
const COMPACTED = {
  'cleanup.policy': 'compact',
  'segment.ms': '2000',
  'min.cleanable.dirty.ratio': '0.01',
  'delete.retention.ms': '86400000',
}
/** Records of one request. */
const SEND = 2_000

/**
 * Clients join a table on a compacted topic while it changes, some stall, and each gateway is killed (-9) once. Expects
 * the rows of each client to be those of the log whenever it is told that it has them all, and in the end.
 */
export async function keepTables({ rows, all, parts, changesPerSecond, seconds }: TablePlan): Promise<void> {
  const { broker, kafka, stop } = await startOwnBroker()
  onTestFinished(stop)
  await kafka.createTopicNamed('orders', PARTITIONS)
  await kafka.createTopicNamed('region-sales', PARTITIONS, COMPACTED)
  const log = new TableLog(rows, PARTITIONS)
  for (let from = 0; from < rows; from += SEND) {
    const count = Math.min(SEND, rows - from)
    await kafka.produce(
      'region-sales',
      Array.from({ length: count }, (_, n) => log.append(from + n, false)),
    )
  }
  const gateways = await GatewayProcess.create(GATEWAYS, { KAFKA_BROKERS: broker.brokers })
  onTestFinished(() => Promise.all(gateways.map((gateway) => gateway.kill())).then(() => {}))
  for (const gateway of gateways) gateway.start()
  for (const gateway of gateways) await untilLoaded(gateway)

  const clients: TableListener[] = []
  onTestFinished(() => {
    for (const client of clients) client.close()
  })
  const urls = gateways.map(({ url }) => url)
  const end = performance.now() + seconds * 1000
  const producing = change(log, changesPerSecond, end, (records) => kafka.produce('region-sales', records))
  producing.catch(() => {}) // awaited below
  for (let n = 0; n < all + parts; n++) {
    clients.push(new TableListener(log, urls, n < all ? undefined : REGIONS[n % REGIONS.length], n % GATEWAYS.length))
    // They join over the first third.
    await delay((seconds * 1000) / 3 / (all + parts))
  }
  const stalled = clients.filter((_, n) => n % STALLED === 0)
  for (const client of stalled) client.stall()
  await delay(STALL_MS)
  for (const client of stalled) client.unstall()
  for (const gateway of gateways) {
    await gateway.kill()
    await until('its clients are at the other', () => clients.every(({ opened }) => opened > 0), READY_MS)
    gateway.start()
    await untilLoaded(gateway)
  }
  await producing
  const ends = log.ends.join()
  await until('all changes came', () => clients.every(({ positions }) => positions.join() === ends), READY_MS).catch(
    () => {}, // the comparisons say it
  )
  for (const client of clients) client.compare()
  const sum = (of: (client: TableListener) => number) => clients.reduce((total, client) => total + of(client), 0)
  console.log(
    `${rows} rows, ${log.written} values written; ${clients.length} clients opened ${sum((c) => c.opened)} streams, ` +
      `${sum((c) => c.moved)} of them at another gateway, and began ${sum((c) => c.resets)} times; ` +
      `${sum((c) => c.compared)} comparisons, ${sum((c) => c.different)} differences; ${sum((c) => c.upserts)} upserts`,
  )
  expect(clients.flatMap(({ errors }) => errors).slice(0, 5)).toEqual([])
  expect(clients.every(({ positions }) => positions.join() === ends)).toBe(true)
  expect(sum((c) => c.moved)).toBeGreaterThanOrEqual(clients.length)
  expect(sum((c) => c.compared)).toBeGreaterThanOrEqual(3 * clients.length)
}

/** The topic is optional: a gateway is ready before the table is. */
async function untilLoaded(gateway: GatewayProcess): Promise<void> {
  await gateway.untilReady()
  const isLoaded = async () => (await (await fetch(`${gateway.adminUrl}/readyz`)).text()).trim() === 'ready'
  await until('the table is loaded', isLoaded, READY_MS)
}

type Produce = (records: ReturnType<TableLog['append']>[]) => Promise<void>

/** Changes at an even pace: by the clock, so that a late turn is made up for. */
async function change(log: TableLog, perSecond: number, end: number, produce: Produce): Promise<void> {
  const began = performance.now()
  let done = 0
  while (performance.now() < end) {
    const due = Math.floor(((performance.now() - began) / 1000) * perSecond)
    const records: ReturnType<TableLog['append']>[] = []
    for (; done < due; done++) {
      // A few rows change often, and all of them sometimes: by a step that is prime to their number.
      const row = done % 3 === 0 ? done % 97 : (done * 7919) % log.rows
      records.push(log.append(row, done % REMOVED === 1))
    }
    if (records.length > 0) await produce(records)
    await delay(BATCH_EVERY_MS)
  }
}
