/**
 * The composition root. In the order in which data flows:
 *
 *   streams/     a log's records become typed events: source, decoding, window, index
 *   schema/      the GraphQL types, and `t.stream`, which turns a topic into a subscription field
 *   delivery/    equal subscriptions become a group: one execution, one frame, one write a client
 *   admission/   the one gate that every operation passes
 *   transport/   GraphQL over SSE: what goes to sockets
 *   server/      HTTP, Yoga for all that is no stream, health, metrics, inspection
 */
import type { Logger } from 'pino'
import { openAdmin } from './admin.ts'
import { ControlLog } from './admission/control/control-log.ts'
import { GRAPHIQL_FOLDER } from './assets.ts'
import { type Config, readConfig } from './config.ts'
import { authenticates } from './config-gate.ts'
import { openLog } from './data-log.ts'
import { type DefinitionOptions, defineGateway } from './definition.ts'
import { ResolverTimes } from './delivery/counts/resolver-times.ts'
import { Engine, type EngineOptions } from './delivery/engine.ts'
import { Faults } from './errors/faults.ts'
import { RefusalCounts } from './errors/refusal-counts.ts'
import { ResolverErrors } from './errors/resolver-errors.ts'
import { openGate } from './gate.ts'
import { createLog } from './log.ts'
import { derivedTabs } from './schema/derived-tabs.ts'
import { ClientAddresses } from './server/client-address.ts'
import { Connections } from './server/connections.ts'
import { ownShares } from './server/descriptors.ts'
import { Endpoint, GRAPHQL_PATH, type RouteName } from './server/endpoint.ts'
import { untilFitToListen } from './server/first-listen.ts'
import { createHttpServer } from './server/http-server.ts'
import { RefusalLog } from './server/inspect/refusal-log.ts'
import { StreamEndsLog } from './server/inspect/stream-ends-log.ts'
import { demandFree, listen } from './server/listen.ts'
import { Pages } from './server/pages/pages.ts'
import type { Timeouts } from './server/timeouts.ts'
import { createYogaHttp } from './server/yoga.ts'
import { type ShutdownOptions, shutDown } from './shutdown.ts'
import { Publisher } from './streams/publish/publisher.ts'
import type { EmbeddedLog } from './streams/source/embedded/embedded.ts'
import { type Readiness, Streams } from './streams/streams.ts'
import type { Topic } from './streams/topic/topic.ts'
import { AnswerBudget } from './transport/answer-budget.ts'
import { DistinctConnections } from './transport/distinct.ts'
import { Expiries } from './transport/expiries.ts'
import { Units } from './transport/gzip/units.ts'
import { Operations } from './transport/operations.ts'
import { Refusals } from './transport/refusals.ts'
import { SingleConnections } from './transport/single/connections.ts'
import { StreamCounts } from './transport/stream-counts.ts'
import { StreamEnds } from './transport/stream-ends.ts'
import { StreamSockets } from './transport/stream-sockets.ts'

/** A definition, made by `defineGateway` or not, and what it runs on. */
export interface GatewayOptions extends DefinitionOptions {
  /** Where and how; by default by the environment's variables: see `readConfig`. */
  readonly config?: Config
  /** By default the process's own, on the standard output. */
  readonly log?: Logger
  /** An embedded log that somebody else fills; without it and without KAFKA_BROKERS, one that the demo feed fills. */
  readonly embedded?: EmbeddedLog
  /** Another form of a topic, under its name: tests have other codecs. */
  readonly topicAs?: (topic: Topic) => Topic
  /** Take no connections before it is ready, unless Kafka cannot be reached for this long; at once, if absent. */
  readonly listenWithinMs?: number
  /** Other limits of time for requests, for tests. */
  readonly timeouts?: Timeouts
  /** Another write stall timeout, for tests: see `WRITE_STALL_MS`. */
  readonly writeStallMs?: number
  /** Another clock for credentials, for tests: ms since the epoch. */
  readonly now?: () => number
}

export interface Gateway {
  /** Where clients connect: a URL, or the path of a unix socket. */
  readonly url: string
  readonly adminUrl: string
  readonly streams: Streams
  readonly engine: Engine
  /** The ways in, by name: each passes admission. */
  readonly routes: readonly RouteName[]
  /**
   * Ends it: no new streams, requests under way answered, open streams ended over `drainMs` milliseconds, at once if
   * absent. Called again, it goes on as before; without `drainMs`, the streams that are left end at once.
   */
  close(drainMs?: number): Promise<void>
}

/**
 * Starts a gateway. Its admin port answers at once, and /readyz says when streams can be had.
 * @throws Error that says what of the definition or the configuration cannot be used, or where it cannot listen.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { config = readConfig(process.env), log = createLog(config), timeouts } = options
  const { schema, topics: defined } = defineGateway(options)
  const topics = options.topicAs ? defined.map(options.topicAs) : defined

  // First, since it may refuse the configuration: nothing else runs yet.
  const { MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS } = config
  const wanted = { connections: MAX_CONNECTIONS, connectionsPerAddress: MAX_CONNECTIONS_PER_ADDRESS }
  const shares = ownShares({ streams: config.MAX_STREAMS, ...wanted }, log)
  const records = { ends: new StreamEndsLog(), refusals: new RefusalLog() }
  const gate = await openGate({
    config,
    schema,
    log,
    maxStreams: shares.streams,
    sink: () => data.sink,
    authorize: options.authorize,
    observers: [records.refusals],
    anonymousScopes: config.ANONYMOUS_SCOPES ?? firstRunScopes(config, options),
    now: options.now,
  })
  const data = openLog({ config, log, topics, embedded: options.embedded, demoFeed: options.demoFeed })
  const { CURSOR_VERSION: cursorVersion, MAX_EVENT_BYTES: maxEventBytes } = config
  const limits = { maxBytes: config.WINDOW_BYTES, maxAgeMs: config.WINDOW_MAX_AGE_MS }
  const streams = new Streams({
    topics,
    source: data.source,
    sink: data.sink,
    epoch: data.epoch,
    limits,
    cursorVersion,
    maxEventBytes,
    log,
  })

  const heartbeatMs = config.HEARTBEAT_MS
  const replayEventsPerSecond = config.REPLAY_EVENTS_PER_SECOND
  const faults = new Faults(log)
  const errors = new ResolverErrors(log, schema)
  const counts = { streams: new StreamCounts(), refusals: new RefusalCounts(), times: new ResolverTimes(schema) }
  const { times } = counts
  const feed: EngineOptions['feed'] = (topic) => streams.feed(topic)
  const table: EngineOptions['table'] = (topic) => streams.table(topic)
  const maxGroups = config.MAX_GROUPS
  const engine = new Engine({
    feed,
    table,
    heartbeatMs,
    replayEventsPerSecond,
    maxGroups,
    log,
    faults,
    errors,
    times,
    writeStallMs: options.writeStallMs,
  })
  const { admission, authentication, control, limits: clients, audit } = gate
  const isRequired = authenticates(config)
  const controlLog =
    data.control &&
    new ControlLog({ control, topic: config.CONTROL_TOPIC, source: data.source, kafka: data.control, isRequired, log })
  const streamsReadiness = (): Readiness => {
    const state = streams.readiness()
    return controlLog?.within(state) ?? state
  }
  const expiries = new Expiries((error) => faults.tell('stream', error))
  const sockets = new StreamSockets({
    maxStreams: shares.streams,
    maxAgeMs: config.STREAM_MAX_AGE_MS,
    faults,
    limits: clients,
    observers: [counts.streams, ...gate.streamObservers, expiries, records.ends],
    onOpen: (socket) => connections.becameStream(socket),
  })
  let leaving: Promise<void> | undefined
  const isLeaving = () => leaving !== undefined
  // A full instance is ready: it serves what it has, and to be taken out of service would help nobody.
  const readiness = (): Readiness => {
    if (isLeaving()) return { ready: false, reason: 'The gateway is shutting down' }
    const state = streamsReadiness()
    return state.ready && !server.listening ? { ready: false, reason: 'The gateway does not listen yet' } : state
  }
  const refusals = new Refusals({
    sockets,
    readiness: streamsReadiness,
    control,
    readinessOf: (topic) => streams.readinessOf(topic),
    isLeaving,
  })
  const answers = new AnswerBudget()
  const introspection = config.INTROSPECTION
  const publisher = new Publisher({
    sink: data.publishSink,
    feed: (topic) => streams.feed(topic),
    ends: (topic) => data.source.ends(topic),
    origin: config.INSTANCE_ID,
    maxEventBytes,
  })
  const operations = new Operations({
    schema,
    engine,
    streams,
    heartbeatMs,
    answers,
    log,
    refusals,
    limits: clients,
    anonymous: authentication.anybody.audience,
    publisher,
    times,
    ...(audit && { onPublished: (owner, topic) => audit.published(owner, topic) }),
    introspection,
  })
  for (const document of gate.persisted.documents) operations.compileAhead(document)
  const units = new Units()
  const distinct = new DistinctConnections({ operations, sockets, refusals, units })
  const single = new SingleConnections({
    instance: config.INSTANCE_ID,
    operations,
    sockets,
    heartbeatMs,
    answers,
    faults,
    refusals,
    limits: clients,
    expiries,
    ...(audit && { onStarted: (owner) => audit.started(owner) }),
    onEnded: (operation, reason) => {
      audit?.ended(operation, reason)
      records.ends.ended(operation, reason)
    },
  })
  control.enforceBy(new StreamEnds({ control, sockets, single, faults }))
  const yoga = createYogaHttp(schema, GRAPHQL_PATH)

  const compressesAll = config.COMPRESSION === 'on'
  const { tickets } = authentication
  const pages = new Pages({
    site: config.LIVE_MAP ? options.pages : undefined,
    graphiql: config.GRAPHIQL ? GRAPHIQL_FOLDER : undefined,
    tabs: options.graphiqlTabs ?? derivedTabs(schema),
    answers,
  })
  const endpoint = new Endpoint({
    admission,
    tickets,
    operations,
    distinct,
    single,
    yoga,
    compressesAll,
    anonymous: authentication.anybody.audience,
    pages,
  })
  const addresses = new ClientAddresses(config.TRUSTED_PROXIES ?? [])
  const corsOrigins = config.CORS_ORIGINS
  const server = createHttpServer({
    endpoint,
    corsOrigins,
    corsHeaders: config.CORS_HEADERS ?? [],
    addresses,
    answers,
    refusals: counts.refusals,
    onRefused: (refused) => records.refusals.answered(refused),
    compresses: config.COMPRESSION !== 'off',
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
  const { admin, adminConnections, capacity, watch } = openAdmin({
    records,
    config,
    log,
    faults,
    shares,
    connections,
    readiness,
    isLeaving,
    streams,
    throttledMs: data.throttledMs,
    engine,
    gate,
    controlLog,
    answers,
    operations,
    producible: data.isEmbedded ? { sink: data.sink, topics } : undefined,
    sockets,
    units,
    publisher,
    single,
    counts,
    timeouts,
  })

  const shutdown: ShutdownOptions = {
    server,
    connections,
    single,
    sockets,
    engine,
    operations,
    resources: [capacity, watch, answers, gate, streams, ...(controlLog ? [controlLog] : []), data, authentication],
    admin,
    adminConnections,
    log,
  }
  const close = (drainMs = 0): Promise<void> => {
    if (leaving && drainMs === 0) void sockets.drain(0)
    leaving ??= shutDown(shutdown, drainMs)
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
    controlLog?.start()
    data.start()
    if (listenWithinMs !== undefined) await untilFitToListen(streamsReadiness, listenWithinMs)
    url ??= await listen(server, address, failed)
    return { url, adminUrl, streams, engine, routes: endpoint.routes.map(({ name }) => name), close }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * Scopes of clients without credentials, where the configuration names none: on a first run, with demo orders in this
 * process, those of the definition. Nothing is lost by them, and nothing of what they allow is kept.
 */
function firstRunScopes(config: Config, { firstRunScopes = [], embedded }: GatewayOptions): readonly string[] {
  const isFirstRun = embedded === undefined && config.KAFKA_BROKERS === undefined
  return isFirstRun && !authenticates(config) ? firstRunScopes : []
}
