import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from '../nginx/certificate.ts'
import { nginxConfig } from '../nginx/config.ts'
import { privateFiles, startNginx } from '../nginx/run.ts'
import { Child } from './child.ts'
import { addressOf, startGatewayProcess } from './gateway.ts'
import { startKafka } from './kafka.ts'
import type { StackOptions } from './options.ts'
import { gatewayPlaces } from './ports.ts'

const PROJECT = join(import.meta.dirname, '..', '..')
const TOPIC = 'orders'
const TABLE = 'region-sales'
const PARTITIONS = 6
/** On one machine nobody has to be spread over half a minute. */
const DRAIN_MS = 1_000
/** What a gateway may take beyond its drain before it is ended by force. */
const STOP_LIMIT_MS = 15_000
/** Settings for a cluster of yours, which is not this one. */
const FOREIGN = ['KAFKA_SSL', 'KAFKA_SSL_CA', 'KAFKA_SSL_CERT', 'KAFKA_SSL_KEY', 'KAFKA_SASL_MECHANISM']

export interface Stack {
  /** Resolves with who it was, and what it said last, when a part has ended by itself. */
  readonly died: Promise<string>
}

/**
 * Starts the parts, and tells of each when it can be reached; `closing` ends them in the other order: first the feed,
 * then the gateways, while Nginx still passes on what they say at the end, then Nginx, then Kafka.
 * @throws Error with one part's last lines if it does not start; `signal`'s reason once that is aborted.
 */
export async function startStack(
  options: StackOptions,
  closing: AsyncDisposableStack,
  signal: AbortSignal,
  tell: (part: string, where: string) => void,
): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-stack-'))
  closing.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  const tls = await makeCertificate(folder)

  const kafka = await startKafka(options['kafka-port'], TOPIC, TABLE, PARTITIONS)
  closing.defer(() => kafka.stop())
  signal.throwIfAborted()
  tell('Kafka', `${kafka.broker.brokers}, topics ${TOPIC} and ${TABLE} in ${PARTITIONS} partitions`)

  const drainMs = Number(process.env.DRAIN_MS || DRAIN_MS)
  const env = {
    ...Object.fromEntries(FOREIGN.map((name) => [name, ''])),
    KAFKA_BROKERS: kafka.broker.brokers,
    TRUSTED_PROXIES: '127.0.0.1,unix',
    DRAIN_MS: String(drainMs),
  }
  // Nginx is there before its gateways, so that it ends after them.
  const places = gatewayPlaces(options)
  const { HEARTBEAT_MS, STREAM_MAX_AGE_MS, CORS_ORIGINS } = process.env
  const config = nginxConfig({
    listen: [`127.0.0.1:${options.port}`],
    ...tls,
    ...privateFiles(folder),
    instances: places.map((place) => ({ name: place.name, address: addressOf(place, folder) })),
    workers: 2,
    ...(HEARTBEAT_MS && { heartbeatMs: Number(HEARTBEAT_MS) }),
    ...(Number(STREAM_MAX_AGE_MS) > 0 && { streamMaxAgeMs: Number(STREAM_MAX_AGE_MS) }),
    ...(CORS_ORIGINS && { corsOrigins: CORS_ORIGINS.split(',').map((origin) => origin.trim()) }),
  })
  const nginx = await startNginx({ folder, config, port: options.port })
  closing.defer(() => nginx.stop())
  signal.throwIfAborted()

  const gateways = places.map((place) => startGatewayProcess({ ...place, folder, env }))
  closing.defer(async () => {
    await Promise.all(gateways.map(({ child }) => child.stop('SIGTERM', drainMs + STOP_LIMIT_MS)))
  })
  for (const { child, ready, url, adminUrl } of gateways) {
    await ready(signal)
    tell(child.name, `${url}, health and metrics at ${adminUrl}`)
  }
  tell('Nginx', `https://127.0.0.1:${options.port}/graphql, before all gateways; its certificate is ${tls.certificate}`)

  const children = [nginx.child, ...gateways.map(({ child }) => child)]
  if (options.rate > 0) {
    const feed = new Child({
      name: 'The feed',
      program: process.execPath,
      args: [
        'src/demo/produce.ts',
        ...['--brokers', kafka.broker.brokers, '--rate', String(options.rate)],
        ...['--sales-topic', TABLE],
      ],
      cwd: PROJECT,
    })
    closing.defer(() => feed.stop('SIGINT', STOP_LIMIT_MS))
    children.push(feed)
    tell('Feed', `${options.rate} orders a second to topic ${TOPIC}`)
  }
  return { died: Promise.race([kafka.died, ...children.map((child) => child.ended.then(() => child.epitaph))]) }
}
