import { RateLimit } from '../../../errors/rate-limit.ts'
import { type Sink, type Source, SourceUnavailable } from '../port.ts'
import { type Address, parseAddress } from './address.ts'
import { Cluster } from './cluster.ts'
import { createClient, demandKafkajs } from './kafkajs.ts'
import { LiveReader } from './live-reader.ts'
import { NearestReplicas } from './nearest-replicas.ts'
import { Offsets } from './offsets.ts'
import type { KafkaOptions } from './options.ts'
import { Past } from './past.ts'
import { connectProducer } from './producer.ts'
import { ErrorCode, isStale, sentenceOf } from './protocol/error-codes.ts'
import { createSink } from './sink.ts'
import { createCompactedTopic } from './topic-creation.ts'
import { factsOf, type TopicFacts } from './topic-facts.ts'
import { topicSettings } from './topic-settings.ts'

/** Rate limit of log lines, for each message: what is retried says so each time. */
const LOG_INTERVAL_MS = 10_000

export interface KafkaLog {
  readonly source: Source
  readonly sink: Sink
  /** A sink with a producer of its own: what it sends waits for nothing that others send. */
  openSink(): Sink
  /** Time for which brokers have asked this client to send no request, in ms since the start: its quota is used up. */
  readonly throttledMs: () => number
  /**
   * Creates a compacted topic with one partition, if there is none of this name.
   * @throws SourceUnavailable when the cluster cannot be reached, or refuses.
   */
  ensureTopic(topic: string): Promise<void>
  /**
   * What Kafka says of a topic, for an operator.
   * @throws SourceUnavailable when the cluster cannot be reached.
   */
  describeTopic(topic: string): Promise<TopicFacts>
  /** Stops every reader and closes every connection, in bounded time even if brokers do not respond. */
  close(): Promise<void>
}

/**
 * The log of a Kafka cluster (2.3 or newer; tested with 4.3). Connections are opened at first use.
 * @throws Error for an address that is none, and for another version of kafkajs than the known one.
 */
export function createKafka(options: KafkaOptions): KafkaLog {
  demandKafkajs()
  const closing = new AbortController()
  const closed = closing.signal
  const client = createClient(options)
  const cluster = new Cluster({ seeds: options.brokers.map(addressOf), connect: client.connection })
  const offsets = new Offsets(cluster, closed)
  const sinks: Sink[] = []
  const openSink = (): Sink => {
    const opened = createSink(() => connectProducer(options), closed)
    sinks.push(opened)
    return opened
  }
  const sink = openSink()
  const rack = options.rack ?? ''
  let throttledMs = 0
  const throttled = (ms: number) => {
    throttledMs += ms
  }
  const past = new Past({ cluster, offsets, nearest: new NearestReplicas(), rack, closed, throttled })
  const warnings = new RateLimit(LOG_INTERVAL_MS)
  const warn = (message: string, extra: object) =>
    warnings.tell((unlogged) => options.log('warn', message, { ...extra, unlogged }), message)
  const readers: LiveReader[] = []
  const readings = new Set<Promise<void>>()

  /** As a rule there is one reader. A topic that is read twice at once has a second one, with its own connections. */
  const readerFor = (topic: string): LiveReader => {
    const free = readers.find((reader) => !reader.has(topic))
    if (free) return free
    const use = `live ${readers.length}` as const
    const reader = new LiveReader({ cluster, offsets, fetch: past.fetch, use, rack, closed, warn, throttled })
    readers.push(reader)
    return reader
  }
  const demandOpen = () => {
    if (closed.aborted) throw new SourceUnavailable('The connection to Kafka is closed')
  }
  const orClosed = <T>(answer: Promise<T>): Promise<T> => {
    const cut = Promise.withResolvers<never>()
    const onClose = () => cut.reject(new SourceUnavailable('The connection to Kafka is closed'))
    closed.addEventListener('abort', onClose)
    return Promise.race([answer, cut.promise]).finally(() => closed.removeEventListener('abort', onClose))
  }

  const source: Source = {
    async ranges(topic) {
      demandOpen()
      return orClosed(offsets.ranges(topic))
    },
    async ends(topic) {
      demandOpen()
      return orClosed(offsets.ends(topic))
    },
    async offsetsAt(topic, timestamp) {
      demandOpen()
      return orClosed(offsets.at(topic, timestamp))
    },
    async read(topic, from, reader, signal) {
      const reading = readerFor(topic).read(topic, from, reader, signal)
      readings.add(reading)
      await reading.finally(() => readings.delete(reading))
    },
    fetch: past.fetch,
    async close() {
      closing.abort()
      cluster.close()
      await Promise.all([...readings, ...readers.map((reader) => reader.ended()), client.end(Promise.resolve())])
    },
  }
  return {
    source,
    sink,
    openSink,
    throttledMs: () => throttledMs,
    async ensureTopic(topic) {
      demandOpen()
      await orClosed(cluster.lookUp([topic]))
      const { error = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION } = cluster.topic(topic) ?? {}
      if (error === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) await orClosed(createCompactedTopic(options, topic))
      else if (error !== ErrorCode.NONE && !isStale(error)) throw new SourceUnavailable(sentenceOf(error))
    },
    async describeTopic(topic) {
      demandOpen()
      const described = await orClosed(cluster.describe(topic))
      const error = described?.error ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      const isThere = error !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      const settings = error === ErrorCode.NONE ? await orClosed(topicSettings(options, topic)) : undefined
      return factsOf({ error, isThere, described, settings })
    },
    async close() {
      closing.abort()
      await Promise.all([source.close(), ...sinks.map((each) => each.close())])
    },
  }
}

function addressOf(text: string): Address {
  const address = parseAddress(text)
  if (address) return address
  throw new TypeError(`"${text}" is no address of a broker: host:port, or [IPv6 address]:port`)
}
