import { MAX_PARTITIONS } from '../../cursor/vector.ts'
import { type PartitionRange, type Sink, type Source, SourceUnavailable } from '../port.ts'
import { Brokers, brokerPoolOf } from './brokers.ts'
import { startConsumer } from './consumer.ts'
import { patiently, unavailable } from './failures.ts'
import { type Admin, createClient, METADATA_MAX_AGE_MS, prepareKafkajs } from './kafkajs.ts'
import type { KafkaOptions } from './options.ts'
import { KAFKAJS_VERSION } from './overrides.ts'
import { createPartitionFetcher } from './partition-fetcher.ts'
import { connectProducer } from './producer.ts'
import { readForever, tooManyPartitions } from './reader.ts'
import { createSink } from './sink.ts'
import { WantedOffsets } from './wanted-offsets.ts'

export interface KafkaLog {
  readonly source: Source
  readonly sink: Sink
  /** Stops every reader and closes every connection, in bounded time even if brokers do not respond. */
  close(): Promise<void>
}

/** The log of a Kafka cluster (2.3 or newer; tested with 4.3). Connections are opened at first use. */
export function createKafka(options: KafkaOptions): KafkaLog {
  const closing = new AbortController()
  if (!prepareKafkajs()) options.log('warn', 'This is not the kafkajs whose faults Sluice fixes', {})
  const source = createSource(options, closing.signal)
  const sink = createSink(() => connectProducer(options), closing.signal)
  return {
    source: { ...source, close: async () => closing.abort() },
    sink,
    async close() {
      closing.abort()
      await Promise.all([source.close(), sink.close()])
    },
  }
}

function createSource(options: KafkaOptions, closed: AbortSignal): Source {
  const readers = new Set<Promise<void>>()
  const fetches = createPartitionFetcher(() => openBrokers(options), closed)

  /**
   * One client for each admin request: they are rare, and the failure of one topic's request does not affect others.
   */
  const ask = async <T>(question: (admin: Admin) => Promise<T>): Promise<T> => {
    if (closed.aborted) throw new SourceUnavailable('The connection to Kafka is closed')
    const client = createClient(options)
    const admin = client.kafka.admin()
    const cut = Promise.withResolvers<never>()
    const onClose = () => cut.reject(new SourceUnavailable('The connection to Kafka is closed'))
    closed.addEventListener('abort', onClose)
    try {
      const answer = admin.connect().then(() => patiently(() => question(admin)))
      return await Promise.race([answer, cut.promise])
    } catch (error) {
      throw unavailable(error)
    } finally {
      closed.removeEventListener('abort', onClose)
      void client.end(admin.disconnect())
    }
  }

  const ranges = async (topic: string): Promise<PartitionRange[]> => {
    // Offsets under `read_committed`: `high` is before the first open transaction.
    const offsets = await ask((admin) => admin.fetchTopicOffsets(topic))
    if (offsets.length > MAX_PARTITIONS) throw new SourceUnavailable(tooManyPartitions(topic, offsets.length))
    return offsets
      .map(({ partition, low, high }) => ({ partition, earliest: Number(low), next: Number(high) }))
      .sort((a, b) => a.partition - b.partition)
  }

  const fetch: Source['fetch'] = async (...fetched) => {
    // Without the overrides, kafkajs returns records of aborted transactions, and stalls at a transaction marker.
    if (!prepareKafkajs()) throw new SourceUnavailable(`Only kafkajs ${KAFKAJS_VERSION} fetches from partitions`)
    return fetches.fetch(...fetched)
  }

  return {
    ranges,

    async offsetsAt(topic, timestamp) {
      // Negative timestamps have special meanings in Kafka.
      const from = Math.max(0, Math.ceil(timestamp))
      const offsets = await ask((admin) => admin.fetchTopicOffsetsByTimestamp(topic, from))
      if (offsets.length > MAX_PARTITIONS) throw new SourceUnavailable(tooManyPartitions(topic, offsets.length))
      return new Map(
        offsets.map(({ partition, offset }): [number, number] => [partition, Number(offset)]).sort(([a], [b]) => a - b),
      )
    },

    async read(from, reader, signal) {
      const reading = readForever({
        wanted: new WantedOffsets(from),
        reader,
        signal: AbortSignal.any([signal, closed]),
        start: (topics, events) => startConsumer(options, topics, events),
        rangesOf: ranges,
        fetch,
        warn: (message, extra) => options.log('warn', message, extra),
      })
      readers.add(reading)
      try {
        await reading
      } finally {
        readers.delete(reading)
      }
    },

    fetch,

    async close() {
      await Promise.all([...readers, fetches.close()])
    },
  }
}

/** Connections for fetches of history, apart from those of the readers. */
function openBrokers(options: KafkaOptions): Brokers {
  const client = createClient(options)
  return new Brokers(brokerPoolOf(client.kafka, METADATA_MAX_AGE_MS), client.end)
}
