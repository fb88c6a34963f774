import { createRequire } from 'node:module'
import kafkajs from 'kafkajs'
import { type Address, parseAddress } from './address.ts'
import type { KafkaOptions, SaslOptions } from './options.ts'
import { Sockets } from './sockets.ts'

/*
 * The only file that imports kafkajs: its connections (TLS, SASL, the framing of requests), and its producer. kafkajs is
 * unmaintained, so that its faults are replaced here, in each client by itself: a host that uses kafkajs beside Sluice
 * has it unchanged. The replacements are valid for this version only.
 */
const KAFKAJS_VERSION = '2.2.4'

// A CommonJS module: Node detects only some of its named exports.
const { Kafka, logLevel, Partitioners } = kafkajs

/** Refresh period of the producer's metadata. */
export const METADATA_MAX_AGE_MS = 5_000
/** How long another broker has to wait for one that accepts a connection, or a first request, and stays silent. */
export const CONNECT_TIMEOUT_MS = 3_000
/** Request timeout of the producer: all replicas have to have its records. */
const REQUEST_TIMEOUT_MS = 10_000
/** Timeout of an orderly disconnect. Sockets that are open after it are destroyed. */
const STOP_TIMEOUT_MS = 1_500
/** Retries inside kafkajs are few: callers' requests are to fail soon. */
export const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, factor: 0.2, multiplier: 2, retries: 3 }

/** One connection of kafkajs: it connects, authenticates, and matches responses with requests. */
export interface KafkajsConnection {
  isConnected(): boolean
  connect(): Promise<unknown>
  /** Signs in where the client has credentials, again before the session ends. */
  send<T>(exchange: Exchange<T>): Promise<T>
  setVersions(versions: Readonly<Record<number, { minVersion: number; maxVersion: number }>>): void
  setSupportAuthenticationProtocol(isSupported: boolean): void
  /** Once it connects. Destroyed, it rejects the requests under way. */
  readonly socket?: { destroy(error: Error): void }
}

/** A request and its response, as kafkajs takes them. */
export interface Exchange<T> {
  readonly request: { apiKey: number; apiVersion: number; apiName: string; encode(): Promise<unknown> }
  readonly response: { decode(payload: Buffer): Promise<object>; parse(decoded: object): Promise<T> }
  readonly logResponseError: boolean
}

/** Private interfaces of kafkajs, as far as they are used here. */
interface RequestQueue {
  pending: unknown[]
  throttledUntil: number
  scheduleCheckPendingRequests(): void
}
type PooledConnection = KafkajsConnection & { requestQueue: RequestQueue }
interface Pool {
  readonly pool: readonly PooledConnection[]
}
interface Destination {
  readonly host?: string
  readonly port?: number
  readonly rack?: string
}
interface Broker {
  readonly connectionPool: Pool
  connect(): Promise<void>
}
interface Cluster {
  readonly connectionPoolBuilder: { build(destination?: Destination): Promise<Pool> }
  readonly brokerPool: { createBroker(options: object): Broker }
}
type CreateCluster = (options: object) => Cluster

const CREATE_CLUSTER = 'private:Kafka:createCluster'

/** @throws Error if this is another version of kafkajs than the one whose inner parts are known. */
export function demandKafkajs(): void {
  const { version } = createRequire(import.meta.url)('kafkajs/package.json') as { version: string }
  if (version === KAFKAJS_VERSION) return
  throw new Error(
    `Sluice needs kafkajs ${KAFKAJS_VERSION}, and ${version} is installed: install that version beside it`,
  )
}

export interface KafkajsClient {
  readonly kafka: InstanceType<typeof Kafka>
  /** Opens a connection to a broker, which the caller closes by its socket. */
  connection(address: Address): Promise<KafkajsConnection>
  /** Waits for an orderly end, a moment, and destroys the sockets that are left. */
  end(closed: Promise<unknown>): Promise<void>
}

/** A client with its own connections. */
export function createClient({ brokers, clientId, ssl, sasl, log }: KafkaOptions): KafkajsClient {
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
  const create = amendClusters(kafka, brokers)
  let cluster: Cluster | undefined
  return {
    kafka,
    async connection({ host, port }) {
      cluster ??= create({ metadataMaxAge: METADATA_MAX_AGE_MS, allowAutoTopicCreation: false })
      const { pool } = await cluster.connectionPoolBuilder.build({ host, port })
      return pool[0] as PooledConnection
    },
    end: (closed) => sockets.closeWithin(STOP_TIMEOUT_MS, closed),
  }
}

/** Replaces, in this client only, how its producer and its connections are made. Returns how to make a cluster. */
function amendClusters(kafka: object, brokers: readonly string[]): CreateCluster {
  const name = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === CREATE_CLUSTER)
  if (!name) throw new Error(`This is not the kafkajs ${KAFKAJS_VERSION} that Sluice knows`)
  const makers = kafka as Record<symbol, CreateCluster>
  const create = makers[name] as CreateCluster
  const amended: CreateCluster = (options) => {
    const cluster = create(options)
    parseSeeds(cluster, brokers)
    leaveSilentBrokers(cluster)
    return cluster
  }
  makers[name] = amended
  return amended
}

/** kafkajs splits an address at its first colon, which an IPv6 address has many of. */
function parseSeeds({ connectionPoolBuilder }: Cluster, brokers: readonly string[]): void {
  const build = connectionPoolBuilder.build
  let next = 0
  connectionPoolBuilder.build = async (destination = {}) => {
    const seed = brokers[next % brokers.length] as string
    if (destination.host === undefined) next++
    const pool = await build(destination.host === undefined ? { ...parseAddress(seed) } : destination)
    for (const { requestQueue } of pool.pool) stopIdleTimer(requestQueue)
    return pool
  }
}

/** kafkajs checks each connection's request queue every millisecond, 4 % of a core: check only while requests wait. */
function stopIdleTimer(queue: RequestQueue): void {
  const schedule = queue.scheduleCheckPendingRequests
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0 || queue.throttledUntil > Date.now()) schedule.call(queue)
  }
}

/**
 * kafkajs tries the next seed only after an error of the connection. One that accepts it and answers nothing is made to
 * fail in the same way.
 */
function leaveSilentBrokers({ brokerPool }: Cluster): void {
  const createBroker = brokerPool.createBroker
  brokerPool.createBroker = (options) => {
    const broker = createBroker(options)
    const connect = broker.connect
    broker.connect = async () => {
      const timer = setTimeout(() => {
        const silence = new Error(`The broker does not answer within ${CONNECT_TIMEOUT_MS / 1_000} s`)
        for (const { socket } of broker.connectionPool.pool) socket?.destroy(silence)
      }, CONNECT_TIMEOUT_MS)
      try {
        await connect.call(broker)
      } finally {
        clearTimeout(timer)
      }
    }
    return broker
  }
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
