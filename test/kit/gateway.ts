import type { GraphQLSchema } from 'graphql'
import pino, { type Logger } from 'pino'
import { onTestFinished } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { type Gateway, startGateway } from '../../src/gateway.ts'
import { ordersGateway } from '../../src/orders-gateway.ts'
import type { Timeouts } from '../../src/server/timeouts.ts'
import { createEmbeddedLog, type EmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import type { Topic } from '../../src/streams/topic/topic.ts'
import type { OrderEvent } from '../../src/streams/topics/orders.ts'
import { until } from './until.ts'

export interface TestGateway extends Gateway {
  /** The URL of GraphQL. */
  readonly graphql: string
  readonly embedded: EmbeddedLog
  /** Appends orders to the embedded log, each a default one with these differences. */
  produce(...orders: Partial<OrderEvent>[]): Promise<void>
  /** Appends records with these bytes to partition 0. */
  produceRaw(...values: (string | Buffer | null)[]): Promise<void>
  /** Value of a metric without labels, or with these. */
  metric(name: string, labels?: Record<string, string>): Promise<number>
}

export interface TestGatewayOptions {
  /** Environment variables, beside free ports and no demo feed. */
  readonly env?: Readonly<Record<string, string>>
  readonly schema?: GraphQLSchema
  // biome-ignore lint/suspicious/noExplicitAny: topics of different events stand side by side here
  readonly topics?: readonly Topic<any, any>[]
  /** Of the embedded topics. */
  readonly partitions?: number
  readonly embedded?: EmbeddedLog
  readonly log?: Logger
  readonly timeouts?: Timeouts
  /** The folder of a built page. */
  readonly pages?: string
  readonly now?: () => number
}

export const silentLog: Logger = pino({ level: 'silent' })

/** A gateway on free ports, closed when the test ends; ready, unless it is to wait for a Kafka. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const { env = {}, schema, topics, partitions = 6, log = silentLog, timeouts, pages, now } = options
  const config = readConfig({ PORT: '0', ADMIN_PORT: '0', DEMO_RATE: '0', INSTANCE_ID: 'test', ...env })
  const embedded = options.embedded ?? createEmbeddedLog()
  if (!options.embedded) {
    for (const name of topics?.map((topic) => topic.name) ?? ['orders', 'region-sales'])
      embedded.createTopic(name, partitions)
  }
  const onKafka = config.KAFKA_BROKERS !== undefined
  const gateway = await startGateway({
    config,
    log,
    ...(schema ? { schema } : { ...ordersGateway, pages: undefined }),
    ...(topics && { topics }),
    ...(!onKafka && { embedded }),
    ...(timeouts && { timeouts }),
    ...(pages !== undefined && { pages }),
    ...(now && { now }),
  })
  onTestFinished(() => gateway.close())
  if (!onKafka) await until('the gateway is ready', () => gateway.streams.readiness().ready)
  return {
    ...gateway,
    graphql: `${gateway.url}/graphql`,
    embedded,
    async produce(...orders) {
      const records = orders.map(anOrder).map((order) => ({ key: order.merchantId, value: JSON.stringify(order) }))
      await embedded.sink.send('orders', records)
    },
    async produceRaw(...values) {
      await embedded.sink.send(
        'orders',
        values.map((value) => ({ key: null, value, partition: 0 })),
      )
    },
    async metric(name, labels = {}) {
      const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
      return metricIn(text, name, labels)
    },
  }
}

let orderNumber = 0

export function anOrder(differences: Partial<OrderEvent> = {}): OrderEvent {
  return {
    id: `ord_${++orderNumber}`,
    merchantId: 'm_0042',
    region: 'EUROPE',
    country: 'NL',
    city: 'Amsterdam',
    lat: 52.37,
    lon: 4.9,
    amount: '129.90',
    currency: 'EUR',
    itemCount: 3,
    status: 'PLACED',
    placedAt: '2026-11-27T10:15:30.123Z',
    ...differences,
  }
}

export function metricIn(text: string, name: string, labels: Record<string, string> = {}): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  const line = text
    .split('\n')
    .find(
      (each) =>
        each.startsWith(name) && /^[{ ]/.test(each.slice(name.length)) && wanted.every((label) => each.includes(label)),
    )
  if (!line) throw new Error(`/metrics has no ${name} with ${wanted.join(', ') || 'no labels'}`)
  return Number(line.slice(line.lastIndexOf(' ') + 1))
}
