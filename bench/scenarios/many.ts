import { setTimeout as delay } from 'node:timers/promises'
import { brokers } from '../harness/broker.ts'
import { type Held, hold, newRun, type Report, run } from '../harness/generator.ts'
import { anOrder, oneRegion } from '../harness/load.ts'
import { checkSamples } from '../harness/samples.ts'
import { atLeast, figure, type Scenario, type Settings, told } from '../harness/scenario.ts'
import { quantile, spreadOf } from '../harness/statistics.ts'
import type { System } from '../harness/system.ts'
import { startNginx, WORKERS } from '../systems/nginx.ts'
import { type Sluice, startSluice } from '../systems/start.ts'

const STREAMS = 30_000
const STREAMS_QUICK = 3_000
/** 10,000 streams each. */
const GATEWAYS = 3
/** More than comes here, and what 20,000 open files allow: 512 are for other things. */
const MAX_STREAMS = 19_000
/** 2 x 9,200 connections, 1,000 others, 512 other files: of 20,000, by the sum of deploy/nginx/config.ts. */
const NGINX_STREAMS_PER_WORKER = 9_200
/** Each opens minutes of streams and waits for heartbeats: more rounds say nothing more. */
const MAX_ROUNDS = 4
/** The gateways' default. */
const HEARTBEAT_MS = 15_000
const HEARTBEAT_QUICK_MS = 2_000
/** One after another, each when the one before has reached all. */
const EVENTS = 5
const LIMIT_MS = 120_000
const REACH_LIMIT_MS = 30_000
const LOOK_EVERY_MS = 50
const MIB = 1024 * 1024

/** Streams of one load generator, with an address of its own. */
interface Part {
  readonly system: System
  readonly streams: number
}

interface Reached {
  readonly streams: number
  /** Those that got each event once and in order, if no stream got a heartbeat too few; else 0. */
  readonly reached: number
  /** Until an event was at the last of them, from its making; one for each event. */
  readonly allMs: readonly number[]
  readonly medianMs: readonly number[]
  readonly openMs: number
  readonly leastHeartbeats: number
  readonly faults: readonly string[]
}

interface Options {
  readonly parts: readonly Part[]
  /** Where events go in. */
  readonly feed: System
  readonly heartbeatMs: number
  /** Called when all are open. */
  readonly opened: () => Promise<void>
}

/** Opens streams, waits for a heartbeat on each, and sends events, each of which every stream is to get. */
async function reach({ parts, feed, heartbeatMs, opened }: Options): Promise<Reached> {
  const name = newRun()
  const streams = parts.reduce((sum, part) => sum + part.streams, 0)
  await using closing = new AsyncDisposableStack()
  const since = performance.now()
  const helds = await Promise.all(
    parts.map(async (part, i): Promise<Held> => {
      const options = { load: oneRegion(part.streams), run: name, source: `127.0.0.${2 + i}`, limitMs: LIMIT_MS }
      const held = await hold(part.system, options)
      closing.defer(() => held.close())
      return held
    }),
  )
  const openMs = performance.now() - since
  await opened()
  const reports = (reset?: 'reset') => Promise.all(helds.map((held) => held.report(reset)))

  await reports('reset')
  await delay(1.5 * heartbeatMs)
  let last = await reports('reset')
  const leastHeartbeats = Math.min(...last.map((report) => report.leastHeartbeats))

  const allMs: number[] = []
  const medianMs: number[] = []
  for (let made = 0; made < EVENTS; made++) {
    await run(feed, { load: { asks: [], orders: [anOrder()] }, run: name, count: 1, made })
    last = await untilDelivered(reports, streams * (made + 1))
    await reports('reset')
    allMs.push(Math.max(...last.map(({ latencyMs }) => latencyMs.max)))
    // Of parts of equal size.
    medianMs.push(last.reduce((sum, { latencyMs }) => sum + latencyMs.p50, 0) / last.length)
  }
  const faults = [
    ...helds.flatMap(({ result }) => result.faults),
    ...last.flatMap(({ samples }) => checkSamples(samples, oneRegion(streams))),
  ]
  const sum = (of: (report: Report) => number) => last.reduce((all, report) => all + of(report), 0)
  const lost = streams * EVENTS - sum(({ deliveries }) => deliveries)
  if (lost !== 0) faults.push(`${lost} deliveries lost`)
  if (sum(({ orderFaults }) => orderFaults) > 0) faults.push('events out of order or twice')
  if (sum(({ open }) => open) !== streams) faults.push(`${streams - sum(({ open }) => open)} streams were closed`)
  if (leastHeartbeats === 0) faults.push('a stream got no heartbeat')
  return { streams, reached: faults.length === 0 ? streams : 0, allMs, medianMs, openMs, leastHeartbeats, faults }
}

async function untilDelivered(reports: () => Promise<Report[]>, wanted: number): Promise<Report[]> {
  for (const deadline = performance.now() + REACH_LIMIT_MS; ; ) {
    const now = await reports()
    if (now.reduce((sum, { deliveries }) => sum + deliveries, 0) >= wanted || performance.now() > deadline) return now
    await delay(LOOK_EVERY_MS)
  }
}

interface Round {
  readonly direct: Reached
  readonly nginx: Reached
  /** Of all gateways, with all streams open, after garbage collection. */
  readonly rss: number
  readonly rssOfStream: number
  /** Of Nginx's workers. */
  readonly nginxRss: number
  readonly nginxRssOfStream: number
}

async function round(settings: Settings): Promise<Round> {
  const wanted = settings.clients ?? (settings.quick ? STREAMS_QUICK : STREAMS)
  const each = Math.ceil(wanted / GATEWAYS)
  const heartbeatMs = settings.quick ? HEARTBEAT_QUICK_MS : HEARTBEAT_MS
  await using systems = new AsyncDisposableStack()
  const env = { HEARTBEAT_MS: String(heartbeatMs), MAX_STREAMS: String(MAX_STREAMS) }
  const address = await brokers()
  const gateways = await Promise.all(
    Array.from({ length: GATEWAYS }, async (_, i): Promise<Sluice> => {
      const gateway = await startSluice({ brokers: address, env, gc: true, instance: `bench-${i + 1}` })
      systems.defer(() => gateway.stop())
      return gateway
    }),
  )
  const [feed] = gateways as [Sluice]
  const collected = async () => {
    const all = await Promise.all(gateways.map((gateway) => gateway.collectedRss?.()))
    return all.reduce<number>((sum, rss) => sum + (rss ?? Number.NaN), 0)
  }
  const before = await collected()
  let rss = Number.NaN
  const direct = await reach({
    parts: gateways.map((system) => ({ system, streams: each })),
    feed,
    heartbeatMs,
    opened: async () => {
      rss = await collected()
    },
  })
  tell(settings, 'direct', direct)

  const nginx = await startNginx(gateways, NGINX_STREAMS_PER_WORKER)
  systems.defer(() => nginx.stop())
  const perWorker = Math.min(NGINX_STREAMS_PER_WORKER, Math.ceil(wanted / WORKERS))
  const nginxBefore = nginx.workersRss
  let nginxRss = Number.NaN
  const through = await reach({
    parts: Array.from({ length: WORKERS }, () => ({ system: nginx, streams: perWorker })),
    feed,
    heartbeatMs,
    opened: async () => {
      nginxRss = nginx.workersRss
    },
  })
  tell(settings, 'through Nginx', through)
  return {
    direct,
    nginx: through,
    rss,
    rssOfStream: (rss - before) / direct.streams,
    nginxRss,
    nginxRssOfStream: (nginxRss - nginxBefore) / through.streams,
  }
}

function tell({ say }: Settings, label: string, { streams, allMs, openMs, leastHeartbeats, faults }: Reached): void {
  const parts = [
    `${figure(streams)} streams open after ${(openMs / 1000).toFixed(1)} s`,
    `an event at all of them after ${allMs.map((ms) => ms.toFixed(0)).join(', ')} ms`,
    `at least ${leastHeartbeats} heartbeats`,
  ]
  say(`  ${label}: ${[...parts, ...faults].join(', ')}`)
}

export const many: Scenario = {
  name: 'many',
  load: '30,000 idle streams on three gateways, and 18,400 through Nginx, its workers’ descriptors full: heartbeats, and one event that reaches all; through Kafka',
  needs: ['generator', 'kafka', 'nginx'],
  quick: false,
  async run(settings) {
    const rounds: Round[] = []
    while (rounds.length < Math.min(settings.rounds, MAX_ROUNDS)) {
      settings.say(`  round ${rounds.length + 1}`)
      rounds.push(await round(settings))
    }
    const spread = (of: (round: Round) => number) => spreadOf(rounds.map(of))
    const ways = [
      ['direct', rounds.map(({ direct }) => direct)],
      ['through Nginx', rounds.map(({ nginx }) => nginx)],
    ] as const
    const middle = (all: readonly number[]) => quantile(all, 0.5)
    const mib = (of: (round: Round) => number) => `${figure(middle(rounds.map(of)) / MIB)} MiB`
    return {
      measures: [
        ...ways.flatMap(([way, all]) => [
          atLeast(
            `streams that got each event and heartbeats, ${way}`,
            spreadOf(all.map(({ reached }) => reached)),
            Math.max(...all.map(({ streams }) => streams)),
            'streams',
          ),
          told(`until an event has reached all, ${way}`, spreadOf(all.flatMap(({ allMs }) => allMs)), 'ms'),
        ]),
        told(
          'RSS a stream of the gateways',
          spread(({ rssOfStream }) => rssOfStream / 1024),
          'KiB',
        ),
        told(
          'RSS a stream of Nginx',
          spread(({ nginxRssOfStream }) => nginxRssOfStream / 1024),
          'KiB',
        ),
      ],
      plot: {
        title: 'Until an event has reached all',
        unit: 'ms',
        series: ways.map(([way, all]) => ({
          system: `${figure(all[0]?.streams ?? 0)} ${way}`,
          values: all.flatMap(({ allMs }) => allMs),
        })),
      },
      notes: [
        `${mib(({ rss }) => rss)} in ${GATEWAYS} gateways with all streams open, ${mib(({ nginxRss }) => nginxRss)} in ${WORKERS} workers of Nginx`,
        ...ways.map(
          ([way, all]) =>
            `${way}: half of the streams had an event after ${figure(middle(all.flatMap(({ medianMs }) => medianMs)))} ms; all were open after ${figure(middle(all.map(({ openMs }) => openMs)) / 1000)} s`,
        ),
        `${EVENTS} events a round; ${rounds.length} rounds`,
        ...new Set(
          ways.flatMap(([way, all]) => all.flatMap(({ faults }) => faults.map((fault) => `${way}: ${fault}`))),
        ),
      ],
    }
  },
}
