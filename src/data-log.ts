import type { Logger } from 'pino'
import type { Config } from './config.ts'
import type { DemoFeed } from './definition.ts'
import { kafkaOf } from './kafka-log.ts'
import { createEmbeddedLog, type EmbeddedLog } from './streams/source/embedded/embedded.ts'
import type { KafkaLog } from './streams/source/kafka/kafka.ts'
import type { Sink, Source } from './streams/source/port.ts'
import type { Topic } from './streams/topic/topic.ts'

/** Of each topic in the embedded log. */
const EMBEDDED_PARTITIONS = 6

export interface DataLogOptions {
  readonly config: Config
  readonly log: Logger
  // biome-ignore lint/suspicious/noExplicitAny: topics of different events stand side by side here
  readonly topics: readonly Topic<any, any>[]
  /** An embedded log that somebody else fills. */
  readonly embedded?: EmbeddedLog | undefined
  readonly demoFeed?: DemoFeed | undefined
}

/** What the gateway reads, and who started it ends. */
export interface DataLog {
  readonly source: Source
  readonly sink: Sink
  /** For events of clients, which wait for nothing else that is sent. */
  readonly publishSink: Sink
  readonly epoch: number | undefined
  /** It is of this process, and not of a Kafka. */
  readonly isEmbedded: boolean
  /** Time for which Kafka has throttled this instance, in ms since the start. */
  readonly throttledMs: () => number
  /** Of Kafka: where decisions of operators are. */
  readonly control?: Pick<KafkaLog, 'ensureTopic' | 'openSink'>
  /** Once there is somebody to read it. */
  start(): void
  close(): Promise<void>
}

/** Kafka, where there is one; else a log in this process, which the demo feed fills. */
export function openLog({ config, log, embedded, topics, demoFeed }: DataLogOptions): DataLog {
  if (embedded)
    return { ...embedded, isEmbedded: true, publishSink: embedded.sink, throttledMs: () => 0, start: () => {} }
  if (config.KAFKA_BROKERS !== undefined) {
    const kafka = kafkaOf(config, log)
    return {
      ...kafka,
      isEmbedded: false,
      publishSink: kafka.openSink(),
      control: kafka,
      epoch: undefined,
      start: () => {},
    }
  }
  const own = createEmbeddedLog()
  for (const topic of topics) own.createTopic(topic.name, EMBEDDED_PARTITIONS)
  const stop = new AbortController()
  let feeding: Promise<void> = Promise.resolve()
  return {
    ...own,
    isEmbedded: true,
    publishSink: own.sink,
    throttledMs: () => 0,
    start() {
      if (demoFeed === undefined) return
      const { DEMO_RATE: rate, DEMO_SEED: seed } = config
      feeding = demoFeed({ log: own, rate, seed, signal: stop.signal }).catch((error: unknown) =>
        log.error({ err: error }, 'The demo feed has failed'),
      )
    },
    async close() {
      stop.abort()
      await feeding
      await own.close()
    },
  }
}
