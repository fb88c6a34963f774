/**
 * The composition root. In the order in which data flows:
 *
 *   streams/     a log's records become typed events: source, decoding, window, index
 *   schema/      the GraphQL types, and `t.stream`, which turns a topic into a subscription field
 *   resolvers/   the root fields
 *   delivery/    equal subscriptions become a group: one execution, one frame, one write a client
 *   admission/   the one gate that every operation passes
 *   transport/   GraphQL over SSE: what goes to sockets
 *   server/      HTTP, Yoga for all that is no stream, health, metrics
 *   demo/        orders for a first run
 */
import type { GraphQLSchema } from 'graphql'
import type { Logger } from 'pino'
import { Admission } from './admission/admission.ts'
import type { Config } from './config.ts'
import { Engine, type EngineOptions } from './delivery/engine.ts'
import { Faults } from './errors/faults.ts'
import { ResolverErrors } from './errors/resolver-errors.ts'
import { schema as ownSchema, topics as ownTopics } from './resolvers/schema.ts'
import { createAdminServer } from './server/admin-server.ts'
import { Capacity } from './server/capacity.ts'
import { ClientAddresses } from './server/client-address.ts'
import { Connections } from './server/connections.ts'
import { ownShares } from './server/descriptors.ts'
import { Endpoint } from './server/endpoint.ts'
import { untilFitToListen } from './server/first-listen.ts'
import { createHttpServer } from './server/http-server.ts'
import { demandFree, listen, stopListening } from './server/listen.ts'
import { createMetrics } from './server/metrics.ts'
import type { Timeouts } from './server/timeouts.ts'
import { createYogaHttp } from './server/yoga.ts'
import { createEmbeddedLog, type EmbeddedLog } from './streams/source/embedded/embedded.ts'
import { createKafka } from './streams/source/kafka/kafka.ts'
import type { Sink, Source } from './streams/source/port.ts'
import { type Readiness, Streams } from './streams/streams.ts'
import type { Topic } from './streams/topic/topic.ts'
import { orders } from './streams/topics/orders.ts'
import { AnswerBudget } from './transport/answer-budget.ts'
import { DistinctConnections } from './transport/distinct.ts'
import { Operations } from './transport/operations.ts'
import { Refusals } from './transport/refusals.ts'
import { SingleConnections } from './transport/single/connections.ts'
import { StreamSockets } from './transport/stream-sockets.ts'

const GRAPHQL_PATH = '/graphql'
/** Of each topic in the embedded log. */
const EMBEDDED_PARTITIONS = 6

export interface GatewayOptions {
  readonly config: Config
  readonly log: Logger
  /** Another schema than this gateway's own, and the topics that its fields read. */
  readonly schema?: GraphQLSchema
  // biome-ignore lint/suspicious/noExplicitAny: topics of different events stand side by side here
  readonly topics?: readonly Topic<any, any>[]
  /** An embedded log that somebody else fills; without it and without KAFKA_BROKERS, one with the demo feed. */
  readonly embedded?: EmbeddedLog
  /** Take no connections before it is ready, unless Kafka cannot be reached for this long; at once, if absent. */
  readonly listenWithinMs?: number
  /** Other limits of time for requests, for tests. */
  readonly timeouts?: Timeouts
}

export interface Gateway {
  /** Where clients connect: a URL, or the path of a unix socket. */
  readonly url: string
  readonly adminUrl: string
  readonly streams: Streams
  readonly engine: Engine
  /**
   * Ends it: no new streams, requests under way answered, open streams ended over `drainMs` milliseconds, at once if
   * absent. Called again, it goes on as before; without `drainMs`, the streams that are left end at once.
   */
  close(drainMs?: number): Promise<void>
}

/**
 * Starts a gateway. Its admin port answers at once, and /readyz says when streams can be had.
 * @throws Error if it cannot listen where it is told to.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, log, schema = ownSchema, topics = ownTopics, timeouts } = options

  const data = openLog(options)
  const cursorVersion = config.CURSOR_VERSION
  const limits = { maxBytes: config.WINDOW_BYTES, maxAgeMs: config.WINDOW_MAX_AGE_MS }
  const streams = new Streams({
    topics,
    source: data.source,
    sink: data.sink,
    epoch: data.epoch,
    limits,
    cursorVersion,
    log,
  })

  const heartbeatMs = config.HEARTBEAT_MS
  const replayEventsPerSecond = config.REPLAY_EVENTS_PER_SECOND
  const faults = new Faults(log)
  const errors = new ResolverErrors(log, schema)
  const feed: EngineOptions['feed'] = (topic) => streams.feed(topic)
  const engine = new Engine({ feed, heartbeatMs, replayEventsPerSecond, log, faults, errors })
  const admission = new Admission({ schema, errors })
  const { MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS } = config
  const wanted = { connections: MAX_CONNECTIONS, connectionsPerAddress: MAX_CONNECTIONS_PER_ADDRESS }
  const shares = ownShares({ streams: config.MAX_STREAMS, ...wanted }, log)
  const sockets = new StreamSockets({
    maxStreams: shares.streams,
    maxAgeMs: config.STREAM_MAX_AGE_MS,
    faults,
    onOpen: (socket) => connections.becameStream(socket),
  })
  let leaving: Promise<void> | undefined
  const isLeaving = () => leaving !== undefined
  // A full instance is ready: it serves what it has, and to be taken out of service would help nobody.
  const readiness = (): Readiness => {
    if (isLeaving()) return { ready: false, reason: 'The gateway is shutting down' }
    const state = streams.readiness()
    return state.ready && !server.listening ? { ready: false, reason: 'The gateway does not listen yet' } : state
  }
  const refusals = new Refusals({ sockets, readiness: () => streams.readiness(), isLeaving })
  const answers = new AnswerBudget()
  const operations = new Operations({ schema, engine, streams, heartbeatMs, answers, log, refusals })
  const distinct = new DistinctConnections({ operations, sockets, refusals })
  const single = new SingleConnections({
    instance: config.INSTANCE_ID,
    operations,
    sockets,
    heartbeatMs,
    answers,
    faults,
    refusals,
  })
  const yoga = createYogaHttp(schema, GRAPHQL_PATH, answers)

  const endpoint = new Endpoint({ admission, operations, distinct, single, yoga })
  const addresses = new ClientAddresses(config.TRUSTED_PROXIES ?? [])
  const corsOrigins = config.CORS_ORIGINS
  const server = createHttpServer({
    endpoint,
    path: GRAPHQL_PATH,
    corsOrigins,
    addresses,
    answers,
    errors,
    log,
    ...(timeouts && { timeouts }),
  })
  const connections = new Connections(server, {
    max: shares.connections,
    maxPerAddress: shares.connectionsPerAddress,
    addressOf: (socket) => addresses.ofConnection(socket),
    isStream: (socket) => sockets.has(socket),
    ...(timeouts && { timeouts }),
  })
  const capacity = new Capacity(
    {
      streams: { used: () => sockets.size, limit: shares.streams },
      connections: { used: () => connections.limit.size, limit: shares.connections },
      frame_log_bytes: { used: () => engine.shared.budget.used, limit: engine.shared.budget.limit },
      answer_bytes: { used: () => answers.used, limit: answers.limit },
      operation_bytes: { used: () => engine.held.used, limit: engine.held.limit },
    },
    log,
    faults,
  )
  const pulling = () => operations.pulling
  const instance = config.INSTANCE_ID
  const metrics = createMetrics({
    instance,
    connections: () => ({ graphql: connections.limit, admin: adminConnections.limit }),
    readiness,
    isLeaving,
    streams,
    engine,
    admission,
    answers,
    pulling,
    sockets,
    single,
    capacity,
  })
  const adminHosts = [config.ADMIN_HOST, ...(config.ADMIN_HOSTS ?? [])]
  const admin = createAdminServer({ readiness, metrics, faults, log, hosts: adminHosts, ...(timeouts && { timeouts }) })
  const adminConnections = new Connections(admin, { max: shares.admin, ...(timeouts && { timeouts }) })

  const leave = async (drainMs: number): Promise<void> => {
    const begin = performance.now()
    connections.leave()
    const { closed } = await stopListening(server)
    await connections.settled()
    const open = sockets.size
    if (open > 0) log.info({ streams: open, drainMs }, 'Draining')
    single.close()
    await sockets.drain(drainMs)
    engine.close()
    operations.close()
    await connections.empty()
    await closed
    const ms = Math.round(performance.now() - begin)
    if (open > 0) log.info({ streams: open, cut: sockets.stats.cut, ms }, 'Drained')
    capacity.close()
    answers.close()
    await streams.close()
    await data.close()
    // Until now it says that it is not ready, and counts.
    adminConnections.leave()
    const stopped = await stopListening(admin)
    await adminConnections.empty()
    await stopped.closed
  }
  const close = (drainMs = 0): Promise<void> => {
    if (leaving && drainMs === 0) void sockets.drain(0)
    leaving ??= leave(drainMs)
    return leaving
  }

  try {
    const { HOST: host, PORT: port, LISTEN_SOCKET: socket, ADMIN_HOST, ADMIN_PORT } = config
    const address = socket === undefined ? { host, port } : { socket }
    const { listenWithinMs } = options
    const failed = (error: Error) => faults.tell('listener', error)
    let url = listenWithinMs === undefined ? await listen(server, address, failed) : undefined
    if (url === undefined) await demandFree(address)
    const adminUrl = await listen(admin, { host: ADMIN_HOST, port: ADMIN_PORT }, failed)
    streams.start()
    data.start()
    if (listenWithinMs !== undefined) await untilFitToListen(() => streams.readiness(), listenWithinMs)
    url ??= await listen(server, address, failed)
    return { url, adminUrl, streams, engine, close }
  } catch (error) {
    await close()
    throw error
  }
}

interface DataLog {
  readonly source: Source
  readonly sink: Sink
  readonly epoch: number | undefined
  /** Once there is somebody to read it. */
  start(): void
  close(): Promise<void>
}

/** Kafka, where there is one; else a log in this process, with the demo feed in it. */
function openLog({ config, log, embedded, topics = ownTopics }: GatewayOptions): DataLog {
  if (embedded) return { ...embedded, start: () => {} }
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
      log: (level, message, extra) => log[level](extra, message),
    })
    return { ...kafka, epoch: undefined, start: () => {} }
  }
  const own = createEmbeddedLog()
  for (const topic of topics) own.createTopic(topic.name, EMBEDDED_PARTITIONS)
  const stop = new AbortController()
  let feeding: Promise<unknown> = Promise.resolve()
  return {
    ...own,
    start() {
      if (config.DEMO_RATE > 0 && topics.some((topic) => topic.name === orders.name)) {
        feeding = feedDemo(own.sink, config, stop.signal)
      }
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
  const { runFeed } = await import('./demo/run-feed.ts')
  await runFeed({ sink, rate, seed, signal })
}

function usesTls(config: Config): boolean {
  return config.KAFKA_SSL || config.KAFKA_SSL_CA !== undefined || config.KAFKA_SSL_CERT !== undefined
}

function tlsOptions({ KAFKA_SSL_CA: ca, KAFKA_SSL_CERT: cert, KAFKA_SSL_KEY: key }: Config) {
  return ca || cert ? { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } : true
}
