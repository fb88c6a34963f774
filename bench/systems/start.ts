/** Starts the systems under test, each as its own documentation says, in a process of its own on the server's core. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from '../../deploy/kafka/probe.ts'
import { Child } from '../harness/child.ts'
import { postRequest, resultOf } from '../harness/load.ts'
import { NGINX, NGINX_MODULES } from '../harness/needs.ts'
import type { System } from '../harness/system.ts'
import { workersOf } from './nginx.ts'

const BENCH = join(import.meta.dirname, '..')
const PROJECT = join(BENCH, '..')
const GC = ['--expose-gc', '--import', join(BENCH, 'systems', 'gc-on-signal.ts')]
/** V8 gives pages back a while after a collection. */
const GC_SETTLE_MS = 1_000
const READY_EVERY_MS = 50
const READY_TIMEOUT_MS = 60_000

export interface StartOptions {
  /** `HOST:PORT` of a broker, where events come from Kafka. */
  readonly brokers?: string
  readonly topic?: string
  readonly gc?: boolean
  /** The root of the checkout that Sluice is started from; absent: this one. */
  readonly tree?: string | undefined
  /** Preloaded into Sluice: the path of a module. */
  readonly preload?: string
  /** More environment variables. */
  readonly env?: Readonly<Record<string, string>>
  /** Writes a CPU profile into this folder when it ends. */
  readonly profile?: string | undefined
}

export interface Sluice extends System {
  readonly adminPort: number
  /** Its INSTANCE_ID. */
  readonly instance: string
  /** For a proxy: `127.0.0.1:PORT`, or `unix:PATH`. */
  readonly address: string
  /** What /metrics says of a name, with this label where it has others beside the instance and the topic. */
  metric(name: string, label?: string): Promise<number>
  /** Resident memory, in bytes. */
  readonly rss: number
  /** From now on `peakRss` is the most since now. */
  resetPeak(): void
  readonly peakRss: number
  /** Asks what was preloaded, by a line; resolves with the line that it answers. */
  ask(question?: string): Promise<string>
}

interface GatewayOptions {
  /** Lines go into an embedded log: for what is not about Kafka. */
  readonly embedded?: boolean
  /** Another entry than the gateway's own, of `bench/systems`. */
  readonly entry?: string
  readonly instance?: string
  /** The path of a unix socket to listen on, instead of a port. */
  readonly socket?: string
}

export async function startSluice(options: StartOptions & GatewayOptions = {}): Promise<Sluice> {
  const [port, adminPort, feedPort] = (await freePorts(3)) as [number, number, number]
  const { brokers, env, instance = 'bench', socket, tree = PROJECT } = options
  // In production the gateway itself wants a log that it is told of.
  const { embedded = brokers === undefined } = options
  const file = options.entry ?? (embedded ? 'sluice-embedded.ts' : undefined)
  const entry = file ? join(tree, 'bench', 'systems', file) : join(tree, 'src', 'main.ts')
  const child = new Child({
    program: process.execPath,
    args: [...nodeOptions(options), entry],
    env: {
      NODE_ENV: 'production',
      ANONYMOUS: 'true',
      LOG_LEVEL: 'warn',
      PORT: String(port),
      ADMIN_PORT: String(adminPort),
      DEMO_RATE: '0',
      INSTANCE_ID: instance,
      ...(socket && { LISTEN_SOCKET: socket }),
      // `memory` opens 15,000.
      MAX_STREAMS: '16000',
      ...(brokers && { KAFKA_BROKERS: brokers }),
      ...(embedded && { FEED_PORT: String(feedPort) }),
      ...env,
    },
    measured: true,
  })
  await untilReady(child, adminPort)
  return {
    name: 'Sluice',
    port,
    adminPort,
    instance,
    address: socket ? `unix:${socket}` : `127.0.0.1:${port}`,
    pids: [child.pid],
    ...(brokers && { feed: `kafka:${brokers}:orders` }),
    ...(embedded && { feed: `lines:127.0.0.1:${feedPort}` }),
    request: postRequest,
    template: (order) => JSON.stringify(order),
    metric: (name, label) => metricOf(adminPort, name, label),
    get rss() {
      return child.rss
    },
    resetPeak: () => child.resetPeak(),
    get peakRss() {
      return child.peakRss
    },
    collectedRss: () => collectedRss(child),
    ask: (question) => child.ask(question),
    stop: () => child.stop(),
  }
}

export async function startYoga(options: StartOptions = {}): Promise<System> {
  const [port] = (await freePorts(1)) as [number]
  const { brokers, topic = 'orders-yoga' } = options
  const child = startBaseline('yoga.ts', options, {
    PORT: String(port),
    ...(brokers && { KAFKA_BROKERS: brokers, TOPIC: topic }),
  })
  await child.said(brokers ? 'ready' : 'listening')
  return {
    name: 'Yoga',
    port,
    pids: [child.pid],
    ...(brokers && { feed: `kafka:${brokers}:${topic}` }),
    request: postRequest,
    template: (order) => JSON.stringify(order),
    stop: () => child.stop(),
  }
}

export async function startBare(options: StartOptions = {}): Promise<System> {
  const [port, feedPort] = (await freePorts(2)) as [number, number]
  const child = startBaseline('bare.ts', options, { PORT: String(port), FEED_PORT: String(feedPort) })
  await child.said('listening')
  return {
    name: 'bare',
    port,
    pids: [child.pid],
    feed: `lines:127.0.0.1:${feedPort}`,
    request: postRequest,
    // It sends on what it is given: what a system with a schema would have made of the order.
    template: (order) => JSON.stringify(JSON.parse(resultOf(order)).data.ordersByRegion),
    collectedRss: () => collectedRss(child),
    stop: () => child.stop(),
  }
}

export interface Consumer {
  readonly pid: number
  readonly feed: string
  /** What it has read since it was asked last. Times are milliseconds since the epoch. */
  report(): Promise<{ readonly count: number; readonly lastAt: number; readonly latencies: readonly number[] }>
  stop(): Promise<void>
}

/** kafkajs without anything around it. */
export async function startConsumer(options: StartOptions & { readonly brokers: string }): Promise<Consumer> {
  const { brokers, topic = 'orders-consumer' } = options
  const child = startBaseline('consumer.ts', options, { KAFKA_BROKERS: brokers, TOPIC: topic })
  await child.said('ready')
  return {
    pid: child.pid,
    feed: `kafka:${brokers}:${topic}`,
    report: async () => JSON.parse(await child.ask()),
    stop: () => child.stop(),
  }
}

export interface Reader {
  /** Reads so many records from where the topic ended when it started. Times are milliseconds since the epoch. */
  read(count: number, parse: boolean): Promise<{ readonly firstAt: number; readonly lastAt: number }>
  stop(): Promise<void>
}

/** kafkajs, to read the same records again and again. */
export async function startReader(options: StartOptions & { readonly brokers: string }): Promise<Reader> {
  const { brokers, topic = 'orders' } = options
  const child = startBaseline('reader.ts', options, { KAFKA_BROKERS: brokers, TOPIC: topic })
  await child.said('ready')
  return {
    read: async (count, parse) => JSON.parse(await child.ask(parse ? `${count} parse` : String(count))),
    stop: () => child.stop(),
  }
}

/** Bare sockets that are given what was recorded: `folder` holds it, and `request` names a place in it. */
export async function startRecorded(folder: string, request: System['request']): Promise<System> {
  const [port] = (await freePorts(1)) as [number]
  const child = startBaseline('recorded.ts', {}, { PORT: String(port), FOLDER: folder })
  await child.said('listening')
  return {
    name: 'bare',
    port,
    pids: [child.pid],
    request,
    template: (order) => JSON.stringify(order),
    stop: () => child.stop(),
  }
}

/** Nginx with nchan: events come by HTTP. */
export async function startNchan(): Promise<System> {
  const [port] = (await freePorts(1)) as [number]
  const folder = mkdtempSync(join(tmpdir(), 'sluice-nchan-'))
  const config = readFileSync(join(BENCH, 'baselines', 'nchan.conf'), 'utf8')
    .replaceAll(/^(?!#)(.*)MODULES/gm, `$1${NGINX_MODULES}`)
    .replaceAll(/^(?!#)(.*)FOLDER/gm, `$1${folder}`)
    .replace(/(listen 127\.0\.0\.1:)PORT/, `$1${port}`)
    // As root, Nginx would give its worker to a user who may not enter the folder.
    .replace(/^USER$/m, process.getuid?.() === 0 ? 'user root;' : '')
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, config)
  const child = new Child({ program: NGINX, args: ['-p', folder, '-c', file], measured: true })
  const pids = await workersOf(child, 1)
  return {
    name: 'nchan',
    port,
    pids,
    feed: `http:127.0.0.1:${port}:/publish?channel=orders`,
    request: () => 'GET /subscribe?channel=orders HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n',
    template: resultOf,
    async stop() {
      await child.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function startBaseline(file: string, options: StartOptions, env: Readonly<Record<string, string>>): Child {
  return new Child({
    program: process.execPath,
    args: [...nodeOptions(options), join(BENCH, 'baselines', file)],
    env: { NODE_ENV: 'production', KAFKAJS_NO_PARTITIONER_WARNING: '1', ...env, ...options.env },
    measured: true,
  })
}

function nodeOptions({ gc, preload, profile }: StartOptions): string[] {
  return [
    ...(gc ? GC : []),
    ...(preload ? ['--import', preload] : []),
    ...(profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []),
  ]
}

async function collectedRss(child: Child): Promise<number> {
  for (let i = 0; i < 2; i++) {
    child.process.kill('SIGUSR2')
    await delay(GC_SETTLE_MS)
  }
  return child.rss
}

async function untilReady(child: Child, adminPort: number): Promise<void> {
  for (const deadline = performance.now() + READY_TIMEOUT_MS; performance.now() < deadline; ) {
    if (child.ended) throw new Error(`Sluice ended:\n${child.tail}`)
    const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined)
    if (answer?.ok) return
    await delay(READY_EVERY_MS)
  }
  throw new Error(`Sluice did not become ready:\n${child.tail}`)
}

async function metricOf(adminPort: number, name: string, label = ''): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  const isOf = (line: string) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)) && line.includes(label)
  const line = text.split('\n').find(isOf)
  if (!line) throw new Error(`/metrics has no ${name}`)
  return Number(line.slice(line.lastIndexOf(' ') + 1))
}
