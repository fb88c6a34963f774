import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import kafkajs, { type Admin, type EachBatchPayload, type KafkaMessage } from 'kafkajs'
import { MAX_PARTITIONS } from '../../cursor/vector.ts'
import { type PartitionRange, type Sink, type Source, SourceUnavailable } from '../port.ts'
import { Brokers, brokerPoolOf } from './brokers.ts'
import { explain, patiently, unavailable } from './failures.ts'
import type { KafkaOptions, SaslOptions } from './options.ts'
import { type FetchNotes, type Internals, KAFKAJS_VERSION, overrideKafkajs } from './overrides.ts'
import { createPartitionFetcher } from './partition-fetcher.ts'
import { lz4, snappy, zstd } from './protocol/compression.ts'
import { rawRecord } from './protocol/record.ts'
import { type ConsumerEvents, type GroupConsumer, readForever, tooManyPartitions } from './reader.ts'
import { type ConnectedProducer, createSink } from './sink.ts'
import { Sockets } from './sockets.ts'
import { WantedOffsets } from './wanted-offsets.ts'

// A CommonJS module, not all of whose names Node can see.
const { CompressionCodecs, CompressionTypes, Kafka, logLevel, Partitioners } = kafkajs

/** Prefix of every group id, for the access rules of a cluster that has them. */
const GROUP_PREFIX = 'sluice-'
/** How late a new partition may be found; nothing of it is missed, since it is read from 0. */
const METADATA_MAX_AGE_MS = 5_000
/** A fetch that finds something is answered at once (`minBytes` 1); this is how long one may wait that finds nothing. */
const FETCH_WAIT_MS = 500
const FETCH_MIN_BYTES = 1
/**
 * Of one partition: some hundred events, so that partitions are read in near the same order by every instance, also by
 * one that catches up; who comes from another then soon shares its frames. A larger record batch comes all the same.
 */
const FETCH_PARTITION_BYTES = 128 * 1024
/** Of one broker's answer, compressed; a few of these are what reading takes in memory. */
const FETCH_BYTES = 8 * 1024 * 1024
const CONNECT_TIMEOUT_MS = 3_000
/** A request without an answer after this is given up; the longest a request may rightly take is a fetch's wait. */
const REQUEST_TIMEOUT_MS = 10_000
const SESSION_TIMEOUT_MS = 30_000
const HEARTBEAT_MS = 3_000
/** What may be left in good order within this time, is. Then sockets are closed as they are. */
const STOP_TIMEOUT_MS = 1_500
/** Within kafkajs, briefly: the reader's own patience is without end, and the caller's calls are to fail soon. */
const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, factor: 0.2, multiplier: 2, retries: 3 }

export interface KafkaLog {
  readonly source: Source
  readonly sink: Sink
  /** Ends every reader and closes every connection, in a bounded time, whatever the brokers do. */
  close(): Promise<void>
}

/** Who hears of the failed fetches of which group: kafkajs tells only its log. */
const fetchListeners = new Map<string, (error: Error) => void>()

/**
 * The log of a Kafka cluster (2.3 or newer; tested with 4.3). Nothing is connected before it is used.
 *
 * The only file that knows kafkajs: what is decided about positions, failures and gaps is in the files beside it.
 */
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

let prepared: boolean | undefined

/** Once a process: fixes kafkajs, if it is the version that is known, and gives it the codecs it lacks. */
function prepareKafkajs(): boolean {
  if (prepared !== undefined) return prepared
  CompressionCodecs[CompressionTypes.Snappy] = () => snappy
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstd
  const internals = kafkajsInternals()
  if (internals) overrideKafkajs(internals, (groupId, error) => fetchListeners.get(groupId)?.(error))
  prepared = internals !== undefined
  return prepared
}

function kafkajsInternals(): Internals | undefined {
  const require = createRequire(import.meta.url)
  try {
    if (require('kafkajs/package.json').version !== KAFKAJS_VERSION) return undefined
    return {
      RequestQueue: require('kafkajs/src/network/requestQueue'),
      ConsumerGroup: require('kafkajs/src/consumer/consumerGroup'),
      Batch: require('kafkajs/src/consumer/batch'),
      Decoder: require('kafkajs/src/protocol/decoder'),
      decodeRecordBatch: require('kafkajs/src/protocol/recordBatch/v0/decoder'),
      decodeMessages: require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages'),
      fetchResponse: require('kafkajs/src/protocol/requests/fetch/v11/response'),
    }
  } catch {
    return undefined // a build of kafkajs without these files: as good as another version
  }
}

function createClient({ brokers, clientId, ssl, sasl, log }: KafkaOptions) {
  const sockets = new Sockets()
  const kafka = new Kafka({
    brokers: [...brokers],
    clientId,
    // What kafkajs's types ask for is narrower than what it hands on to Node, or tells apart by its mechanism.
    ...(ssl === undefined ? {} : { ssl: ssl as boolean }),
    ...(sasl === undefined ? {} : { sasl: saslCopy(sasl) }),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    authenticationTimeout: REQUEST_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    socketFactory: sockets.factory,
    logLevel: logLevel.INFO,
    // What fails is told by the reader's state and by what is thrown; kafkajs repeats it at every try.
    logCreator: () => (entry) => {
      const { message, logger, timestamp, ...extra } = entry.log
      log('debug', message, { ...extra, namespace: entry.namespace })
    },
  })
  return { kafka, end: (closed: Promise<unknown>) => sockets.closeWithin(STOP_TIMEOUT_MS, closed) }
}

/** kafkajs writes its authenticator into what it is given: a copy of nothing but the three, every time. */
function saslCopy({ mechanism, username, password }: SaslOptions) {
  return { mechanism, username, password } as SaslOptions & { mechanism: 'plain' }
}

function createSource(options: KafkaOptions, closed: AbortSignal): Source {
  const readers = new Set<Promise<void>>()
  const fetches = createPartitionFetcher(() => openBrokers(options), closed)

  /** With a client of its own, made for the question: asked rarely, and no topic's trouble becomes another's. */
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
    // Offsets as a reader of committed records sees them: `high` is before the first transaction that is still open.
    const offsets = await ask((admin) => admin.fetchTopicOffsets(topic))
    if (offsets.length > MAX_PARTITIONS) throw new SourceUnavailable(tooManyPartitions(topic, offsets.length))
    return offsets
      .map(({ partition, low, high }) => ({ partition, earliest: Number(low), next: Number(high) }))
      .sort((a, b) => a.partition - b.partition)
  }

  const fetch: Source['fetch'] = async (...fetched) => {
    // Unfixed, kafkajs gives away records of aborted transactions, and stands still before a marker.
    if (!prepareKafkajs()) throw new SourceUnavailable(`Only kafkajs ${KAFKAJS_VERSION} fetches from partitions`)
    return fetches.fetch(...fetched)
  }

  return {
    ranges,

    async offsetsAt(topic, timestamp) {
      // Negative timestamps mean other things to Kafka; nothing is older than the epoch.
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

/** Connections for fetches, apart from those of every reader. */
function openBrokers(options: KafkaOptions): Brokers {
  const client = createClient(options)
  return new Brokers(brokerPoolOf(client.kafka, METADATA_MAX_AGE_MS), client.end)
}

/** A consumer in a new group of its own, which nobody else joins: a group's former member would have to time out first. */
function startConsumer(options: KafkaOptions, topics: readonly string[], events: ConsumerEvents): GroupConsumer {
  const client = createClient(options)
  const groupId = `${GROUP_PREFIX}${randomUUID()}`
  const consumer = client.kafka.consumer({
    groupId,
    metadataMaxAge: METADATA_MAX_AGE_MS,
    sessionTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: HEARTBEAT_MS,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    minBytes: FETCH_MIN_BYTES,
    maxBytesPerPartition: FETCH_PARTITION_BYTES,
    maxBytes: FETCH_BYTES,
    readUncommitted: false,
    allowAutoTopicCreation: false,
    retry: { ...RETRY, restartOnFailure: async () => false },
  })
  fetchListeners.set(groupId, (error) => events.fetchFailed(error))
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => events.joined(payload.memberAssignment))
  consumer.on(consumer.events.FETCH_START, ({ payload }) => events.fetchBegan(String(payload.nodeId)))
  consumer.on(consumer.events.FETCH, ({ payload }) => events.fetchEnded(String(payload.nodeId)))
  const crashed = (error: Error) => events.crashed(new Error(explain(error), { cause: error }))
  consumer.on(consumer.events.CRASH, ({ payload }) => crashed(payload.error))

  const run = async () => {
    await consumer.connect()
    await consumer.subscribe({ topics: [...topics] })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => {
        const fetched = fetchedBatch(payload)
        if (await events.batch(fetched)) payload.resolveOffset(String(fetched.nextOffset - 1))
      },
    })
  }
  run().catch(crashed)

  /** kafkajs throws while it has no group; every join brings all positions anew. */
  const whileJoined = (act: () => void) => {
    try {
      act()
    } catch (error) {
      options.log('debug', 'The consumer has no group at the moment', { err: error })
    }
  }
  return {
    seek: (topic, partition, offset) => whileJoined(() => consumer.seek({ topic, partition, offset: String(offset) })),
    pause: (topic, partition) => whileJoined(() => consumer.pause([{ topic, partitions: [partition] }])),
    resume: (topic, partition) => whileJoined(() => consumer.resume([{ topic, partitions: [partition] }])),
    async stop() {
      await client.end(consumer.disconnect())
      fetchListeners.delete(groupId)
    },
  }
}

function fetchedBatch({ batch }: EachBatchPayload): Parameters<ConsumerEvents['batch']>[0] {
  // `fetchedOffset` is not in kafkajs's types; the notes are ours (`overrides.ts`).
  const { fetchedOffset, rawMessages } = batch as unknown as {
    fetchedOffset: string
    rawMessages: KafkaMessage[] & FetchNotes
  }
  const { topic, partition } = batch
  const last = rawMessages.at(-1)
  const nextOffset = rawMessages.nextOffset ?? (last ? Number(last.offset) + 1 : Number(fetchedOffset))
  return {
    topic,
    partition,
    fetchedOffset: Number(fetchedOffset),
    nextOffset,
    outOfRange: rawMessages.outOfRange ?? false,
    // The broker may read further than the end it looked up before.
    endOffset: Math.max(Number(batch.highWatermark), nextOffset),
    records: () => batch.messages.map((message) => rawRecord(partition, message)),
  }
}

async function connectProducer(options: KafkaOptions): Promise<ConnectedProducer> {
  const client = createClient(options)
  const producer = client.kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: stablePartitioner,
    allowAutoTopicCreation: false,
    metadataMaxAge: METADATA_MAX_AGE_MS,
    retry: RETRY,
  })
  const end = () => client.end(producer.disconnect())
  const orUnavailable = async (act: Promise<unknown>): Promise<void> => {
    try {
      await act
    } catch (error) {
      throw unavailable(error)
    }
  }
  try {
    await orUnavailable(producer.connect())
  } catch (error) {
    await end()
    throw error
  }
  return {
    send(topic, records) {
      const messages = records.map(({ key, value, headers, partition, timestamp }) => ({
        key,
        value,
        ...(headers === undefined ? {} : { headers: { ...headers } }),
        ...(partition === undefined ? {} : { partition }),
        ...(timestamp === undefined ? {} : { timestamp: String(timestamp) }),
      }))
      return orUnavailable(
        producer.send({ topic, acks: -1, messages }).then((taken) => {
          // kafkajs drops, without a word, what is for a partition that it does not know.
          const known = new Set(taken.map((each) => each.partition))
          const lost = records.find((record) => record.partition !== undefined && !known.has(record.partition))
          if (lost) throw new SourceUnavailable(`Topic "${topic}" has no partition ${lost.partition}`)
        }),
      )
    },
    end,
  }
}

/**
 * Java's rule for keys, so that a key's records are in one partition whoever sends them. kafkajs asks again when it
 * sends again, and for a record without a key another partition would make another record of it: the first answer
 * holds.
 */
const stablePartitioner: typeof Partitioners.DefaultPartitioner = () => {
  const partitionOf = Partitioners.DefaultPartitioner()
  const given = new WeakMap<object, number>()
  return (choice) => {
    const partition = given.get(choice.message) ?? partitionOf(choice)
    given.set(choice.message, partition)
    return partition
  }
}
