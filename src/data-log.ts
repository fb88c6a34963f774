import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { createEmbeddedLog, type EmbeddedLog } from './streams/source/embedded/embedded.ts'
import { createKafka, type KafkaLog } from './streams/source/kafka/kafka.ts'
import type { Sink, Source } from './streams/source/port.ts'
import type { Topic } from './streams/topic/topic.ts'
import { orders } from './streams/topics/orders.ts'
import { regionSales } from './streams/topics/region-sales.ts'

/** Of each topic in the embedded log. */
const EMBEDDED_PARTITIONS = 6

export interface DataLogOptions {
  readonly config: Config
  readonly log: Logger
  // biome-ignore lint/suspicious/noExplicitAny: topics of different events stand side by side here
  readonly topics: readonly Topic<any, any>[]
  /** An embedded log that somebody else fills. */
  readonly embedded?: EmbeddedLog | undefined
}

/** What the gateway reads, and who started it ends. */
export interface DataLog {
  readonly source: Source
  readonly sink: Sink
  /** For events of clients, which wait for nothing else that is sent. */
  readonly publishSink: Sink
  readonly epoch: number | undefined
  /** Time for which Kafka has throttled this instance, in ms since the start. */
  readonly throttledMs: () => number
  /** Of Kafka: where decisions of operators are. */
  readonly control?: Pick<KafkaLog, 'ensureTopic' | 'openSink'>
  /** Once there is somebody to read it. */
  start(): void
  close(): Promise<void>
}

/** Kafka, where there is one; else a log in this process, with the demo feed in it. */
export function openLog({ config, log, embedded, topics }: DataLogOptions): DataLog {
  if (embedded) return { ...embedded, publishSink: embedded.sink, throttledMs: () => 0, start: () => {} }
  if (config.KAFKA_BROKERS) {
    const {
      KAFKA_SASL_MECHANISM: mechanism,
      KAFKA_SASL_USERNAME: username = '',
      KAFKA_SASL_PASSWORD: password = '',
    } = config
    const kafka = createKafka({
      brokers: config.KAFKA_BROKERS,
      clientId: `sluice-${config.INSTANCE_ID}`,
      ...(usesTls(config) && { ssl: tlsOptions(config) }),
      ...(mechanism && { sasl: { mechanism, username, password } }),
      ...(config.KAFKA_RACK !== undefined && { rack: config.KAFKA_RACK }),
      log: (level, message, extra) => log[level](extra, message),
    })
    return { ...kafka, publishSink: kafka.openSink(), control: kafka, epoch: undefined, start: () => {} }
  }
  const own = createEmbeddedLog()
  for (const topic of topics) own.createTopic(topic.name, EMBEDDED_PARTITIONS)
  const stop = new AbortController()
  let feeding: Promise<unknown> = Promise.resolve()
  return {
    ...own,
    publishSink: own.sink,
    throttledMs: () => 0,
    start() {
      const has = (name: string) => topics.some((topic) => topic.name === name)
      if (!has(orders.name)) return
      const feeds = [feedDemo(own.sink, config, stop.signal)]
      if (has(regionSales.name)) feeds.push(totalSales(own, stop.signal))
      feeding = Promise.all(feeds)
    },
    async close() {
      stop.abort()
      await feeding
      await own.close()
    },
  }
}

/** Loaded only where it is wanted: the feed's cities take a third of a second, and memory. */
async function feedDemo(sink: Sink, { DEMO_RATE: rate, DEMO_SEED: seed }: Config, signal: AbortSignal): Promise<void> {
  if (rate === 0) return
  const { runFeed } = await import('./demo/run-feed.ts')
  await runFeed({ sink, rate, seed, signal })
}

/** Also of the orders that clients place. */
async function totalSales({ source, sink }: EmbeddedLog, signal: AbortSignal): Promise<void> {
  const { salesFromLog } = await import('./demo/sales-from-log.ts')
  await salesFromLog({ source, sink, topic: orders.name, salesTopic: regionSales.name, signal })
}

function usesTls(config: Config): boolean {
  return config.KAFKA_SSL || config.KAFKA_SSL_CA !== undefined || config.KAFKA_SSL_CERT !== undefined
}

function tlsOptions({ KAFKA_SSL_CA: ca, KAFKA_SSL_CERT: cert, KAFKA_SSL_KEY: key }: Config) {
  return ca || cert ? { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } : true
}
