import { brokers } from '../harness/broker.ts'
import { EVENTS, type Reached, reach } from '../harness/reach.ts'
import { atLeast, figure, type Scenario, type Settings, told } from '../harness/scenario.ts'
import { quantile, spreadOf } from '../harness/statistics.ts'
import { startNginx, WORKERS } from '../systems/nginx.ts'
import { type Sluice, startSluice } from '../systems/start.ts'

const STREAMS = 30_000
const STREAMS_QUICK = 3_000
/** 10,000 streams each. */
const GATEWAYS = 3
/** More than comes here, and what 20,000 open files allow: 512 are for other things. */
const MAX_STREAMS = 19_000
/** What each of its workers is configured for: the most that fits 20,000 open files. */
const NGINX_CONFIGURED = 8_635
/** What comes through each: two workers do not get the same number, but some 200 more or less. */
const NGINX_STREAMS = 8_600
/** Each opens tens of thousands of streams and waits for heartbeats, a minute or more: more of them say nothing more. */
const MAX_ROUNDS = 4
/** The gateways' default. */
const HEARTBEAT_MS = 15_000
const HEARTBEAT_QUICK_MS = 2_000
const MIB = 1024 * 1024

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
      const gateway = await startSluice({
        brokers: address,
        env,
        tree: settings.tree,
        gc: true,
        instance: `bench-${i + 1}`,
      })
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

  const nginx = await startNginx(gateways, { streamsPerWorker: NGINX_CONFIGURED })
  systems.defer(() => nginx.stop())
  const perWorker = Math.min(NGINX_STREAMS, Math.ceil(wanted / WORKERS))
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
  load: '30,000 idle streams on three gateways, and 17,200 through Nginx, as many as its workers’ descriptors allow: heartbeats, and one event that reaches all; through Kafka',
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
