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
import type { Server } from 'node:http'
import { Server as NetServer } from 'node:net'
import type { GraphQLSchema } from 'graphql'
import type { Logger } from 'pino'
import { Admission } from './admission/admission.ts'
import type { Config } from './config.ts'
import { Engine } from './delivery/engine.ts'
import { SluiceError } from './errors.ts'
import { schema as ownSchema, topics as ownTopics } from './resolvers/schema.ts'
import { createAdminServer } from './server/admin-server.ts'
import { Endpoint } from './server/endpoint.ts'
import { createHttpServer } from './server/http-server.ts'
import { listen } from './server/listen.ts'
import { createMetrics } from './server/metrics.ts'
import { createYogaServer } from './server/yoga.ts'
import { createEmbeddedLog, type EmbeddedLog } from './streams/embedded.ts'
import { createKafka } from './streams/kafka.ts'
import type { Sink, Source } from './streams/port.ts'
import { Streams } from './streams/streams.ts'
import type { Topic } from './streams/topic.ts'
import { orders } from './streams/topics/orders.ts'
import { DistinctConnections } from './transport/distinct.ts'
import { Operations } from './transport/operations.ts'
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
}

export interface Gateway {
  /** Where clients connect: a URL, or the path of a unix socket. */
  readonly url: string
  readonly adminUrl: string
  readonly streams: Streams
  readonly engine: Engine
  close(): Promise<void>
}

/**
 * Starts a gateway. It listens at once; /readyz says when its streams can be had.
 * @throws Error if it cannot listen where it is told to.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, log, schema = ownSchema, topics = ownTopics } = options

  const data = openLog(options)
  const limits = { maxBytes: config.WINDOW_BYTES, maxAgeMs: config.WINDOW_MAX_AGE_MS }
  const streams = new Streams({ topics, source: data.source, sink: data.sink, epoch: data.epoch, limits, log })

  const heartbeatMs = config.HEARTBEAT_MS
  const replayEventsPerSecond = config.REPLAY_EVENTS_PER_SECOND
  const engine = new Engine({ feed: (topic) => streams.feed(topic), heartbeatMs, replayEventsPerSecond, log })
  const admission = new Admission({ schema, log })
  let closing = false
  const refusal = () => {
    if (closing) return new SluiceError('NOT_READY', 'The gateway is shutting down')
    const state = streams.readiness()
    return state.ready ? undefined : new SluiceError('NOT_READY', `The gateway is not ready: ${state.reason}`)
  }
  const sockets = new StreamSockets()
  const operations = new Operations({ schema, engine, streams, heartbeatMs, log, refusal })
  const distinct = new DistinctConnections({ operations, sockets, log })
  const yoga = createYogaServer(schema, GRAPHQL_PATH, streams, log)

  const endpoint = new Endpoint({ admission, distinct, yoga })
  const server = createHttpServer({ endpoint, path: GRAPHQL_PATH, corsOrigins: config.CORS_ORIGINS, log })
  const pulling = () => operations.pulling
  const metrics = createMetrics({ instance: config.INSTANCE_ID, streams, engine, pulling })
  const admin = createAdminServer({ readiness: () => streams.readiness(), metrics, log })

  const close = async (): Promise<void> => {
    closing = true
    const closed = [stopListening(server), stopListening(admin)]
    engine.close()
    operations.close()
    await sockets.none()
    for (const each of [server, admin]) each.closeIdleConnections()
    await streams.close()
    await data.close()
    await Promise.all(closed)
  }

  try {
    const { HOST: host, PORT: port, LISTEN_SOCKET: socket } = config
    const url = await listen(server, socket === undefined ? { host, port } : { socket })
    const adminUrl = await listen(admin, { host: config.ADMIN_HOST, port: config.ADMIN_PORT })
    streams.start()
    data.start()
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

/**
 * Resolves when the last connection has ended. It is net.Server's `close`, since that of http.Server would end every
 * connection that has no request, and Node takes streams for such.
 */
function stopListening(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve()
  return new Promise((resolve) => NetServer.prototype.close.call(server, () => resolve()))
}
