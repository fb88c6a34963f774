import { createRequire } from 'node:module'
import kafkajs from 'kafkajs'
import type { KafkaOptions, SaslOptions } from './options.ts'
import { type Internals, KAFKAJS_VERSION, overrideKafkajs } from './overrides.ts'
import { lz4, snappy, zstd } from './protocol/compression.ts'
import { Sockets } from './sockets.ts'

/*
 * The only file that imports kafkajs: its version check, its overrides and codecs, and its clients. Positions, failures
 * and gaps are decided in the files beside it.
 */
export type { Admin, EachBatchPayload, KafkaMessage } from 'kafkajs'

// A CommonJS module: Node detects only some of its named exports.
const { CompressionCodecs, CompressionTypes, Kafka, logLevel, Partitioners } = kafkajs

/** Refresh period of metadata: how late a new partition is found. None of its records is missed: it is read from 0. */
export const METADATA_MAX_AGE_MS = 5_000
const CONNECT_TIMEOUT_MS = 3_000
/** Request timeout. The longest legitimate wait is that of a fetch. */
const REQUEST_TIMEOUT_MS = 10_000
/** Timeout of an orderly disconnect. Sockets that are open after it are destroyed. */
const STOP_TIMEOUT_MS = 1_500
/** Retries inside kafkajs are few: the reader retries indefinitely itself, and callers' requests are to fail soon. */
export const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, factor: 0.2, multiplier: 2, retries: 3 }

/** Listeners to failed fetches, by group id: kafkajs reports these only to its log. */
export const fetchListeners = new Map<string, (error: Error) => void>()

let prepared: boolean | undefined

/** Once a process: overrides the faults of kafkajs if its version is the known one, and adds the missing codecs. */
export function prepareKafkajs(): boolean {
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
    return undefined // a build of kafkajs without these files is treated as another version
  }
}

export function createClient({ brokers, clientId, ssl, sasl, log }: KafkaOptions) {
  const sockets = new Sockets()
  const kafka = new Kafka({
    brokers: [...brokers],
    clientId,
    // kafkajs's types are narrower than the options that it passes to Node.
    ...(ssl === undefined ? {} : { ssl: ssl as boolean }),
    ...(sasl === undefined ? {} : { sasl: saslCopy(sasl) }),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    authenticationTimeout: REQUEST_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    socketFactory: sockets.factory,
    logLevel: logLevel.INFO,
    // Failures are reported by the reader's state and by exceptions. kafkajs repeats them at every retry: debug level.
    logCreator: () => (entry) => {
      const { message, logger, timestamp, ...extra } = entry.log
      log('debug', message, { ...extra, namespace: entry.namespace })
    },
  })
  return { kafka, end: (closed: Promise<unknown>) => sockets.closeWithin(STOP_TIMEOUT_MS, closed) }
}

/** kafkajs stores its authenticator in the object it is given: a new copy of these three for each client. */
function saslCopy({ mechanism, username, password }: SaslOptions) {
  return { mechanism, username, password } as SaslOptions & { mechanism: 'plain' }
}

/**
 * The default partitioner of Java's client: all producers put a key's records into the same partition. The choice is
 * memoized by message, because kafkajs partitions again at a retry. For a record without a key another partition would
 * defeat the deduplication of the idempotent producer.
 */
export const stablePartitioner: typeof Partitioners.DefaultPartitioner = () => {
  const partitionOf = Partitioners.DefaultPartitioner()
  const given = new WeakMap<object, number>()
  return (choice) => {
    const partition = given.get(choice.message) ?? partitionOf(choice)
    given.set(choice.message, partition)
    return partition
  }
}
