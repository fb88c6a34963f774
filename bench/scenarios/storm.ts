import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brokers } from '../harness/broker.ts'
import { newRun, type RunOptions, type RunResult, run } from '../harness/generator.ts'
import { type Ask, anOrder, gzipRequest, type Load, type Order, REGIONS, WHOLE_ORDER } from '../harness/load.ts'
import { Recording } from '../harness/recording.ts'
import { atMost, figure, type Scenario, type Settings, told } from '../harness/scenario.ts'
import { paired, quantile, spreadOf } from '../harness/statistics.ts'
import { type Sluice, startRecorded, startSluice } from '../systems/start.ts'

const CLIENTS = 5000
const CLIENTS_QUICK = 500
const OPERATIONS = 20
/** The last this many matching events are where clients left off. */
const FURTHEST = 10_000
/** Events of each region: some more than anybody has missed, so that each client had some before. */
const OF_EACH = 11_000
/** Orders a second while they are made: so that partitions interleave as in a busy hour, and not by the megabyte. */
const PRODUCE_RATE = 10_000
/** Orders a second while the clients come back: a few, so that each has to pass from what was to what is. */
const LIVE_RATE = 6
/** Being opened at any time: within what may wait to be accepted at a Node server. */
const AT_ONCE = 256
const TARGET = 3
const MIB = 1024 * 1024
/** 66,000 orders of about 1 KB: with the default of 64 MiB, some of what was missed would be beyond the window. */
const WINDOW_BYTES = 128 * MIB
/** Frame logs, cached history, and what waits for a client that lags. */
const BUDGET_MIB = 64 + 128
const LAGGING_MIB = 1 / 16
const LIMIT_MS = 120_000
const DRAIN_MS = 20_000

/** One order of each region, each of a merchant of its own: both ways to ask for it match a sixth of all events. */
const ORDERS = REGIONS.map((region, i) => anOrder({ region, merchantId: `m_100${i}` }))

/** Ten selections of one region each, and ten of one merchant: all that an order has, each time in another order. */
const FIELDS = WHOLE_ORDER.match(/\w+( \{.*?\})?/g) as string[]
const QUERIES = Array.from({ length: OPERATIONS }, (_, i) => {
  const { region, merchantId } = ORDERS[i % ORDERS.length] as Order
  const field =
    i < OPERATIONS / 2 ? `ordersByRegion(region: ${region})` : `ordersByMerchant(merchantId: "${merchantId}")`
  const from = i % FIELDS.length
  return `subscription { ${field} { ${[...FIELDS.slice(from), ...FIELDS.slice(0, from)].join(' ')} } }`
})

/** 1 to 10,000, evenly, in no order. */
function missedBy(client: number, clients: number): number {
  // A prime that divides no sensible number of clients.
  const place = (client * 7919) % clients
  return 1 + Math.round(((FURTHEST - 1) * place) / Math.max(1, clients - 1))
}

function returning(clients: number, recordings: readonly Recording[]): Load {
  const asks = Array.from({ length: clients }, (_, client): Ask => {
    const operation = client % OPERATIONS
    const resume = (recordings[operation] as Recording).positionBefore(missedBy(client, clients))
    return { query: QUERIES[operation] as string, key: operation % ORDERS.length, streams: 1, resume }
  })
  return { asks, orders: ORDERS }
}

/** What each operation brings, read live from an instance that is not the one of the storm, while the orders are made. */
async function record(other: Sluice, name: string): Promise<Recording[]> {
  const recordings = QUERIES.map((query) => new Recording(other.port, query))
  await Promise.all(recordings.map(({ start }) => start))
  const count = OF_EACH * ORDERS.length
  const all = Promise.all(recordings.map((recording) => recording.holds(OF_EACH)))
  await Promise.all([all, run(other, { load: { asks: [], orders: ORDERS }, run: name, count, rate: PRODUCE_RATE })])
  return recordings
}

interface Storm extends RunResult {
  /** Of the gateway: its memory before the storm, and the most in it. */
  readonly rss: number
  readonly peakRss: number
  readonly executions: number
  readonly writes: number
  readonly sent: number
  /** Deliveries of events that were made meanwhile, to those who were at the head. */
  readonly live: number
}

async function stormOfSluice(options: RunOptions, settings: Settings, isCompressed = false): Promise<Storm> {
  const env = { WINDOW_BYTES: String(WINDOW_BYTES) }
  const sluice = await startSluice({ brokers: await brokers(), env, tree: settings.tree, profile: settings.profile })
  try {
    const { rss } = sluice
    sluice.resetPeak()
    const system = isCompressed ? { ...sluice, request: gzipRequest } : sluice
    const result = await run(system, { ...options, rate: LIVE_RATE })
    const { peakRss } = sluice
    const [executions, writes, sent, deliveries, replayed] = (await Promise.all(
      ['executions', 'writes', 'sent_bytes', 'deliveries', 'replayed_events'].map((name) =>
        sluice.metric(`sluice_${name}_total`),
      ),
    )) as [number, number, number, number, number]
    return { ...result, rss, peakRss, executions, writes, sent, live: deliveries - replayed }
  } finally {
    await sluice.stop()
  }
}

async function stormOfBare(options: RunOptions, recordings: readonly Recording[]): Promise<RunResult> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  for (const [i, { bytes }] of recordings.entries()) writeFileSync(join(folder, String(i)), bytes)
  const bare = await startRecorded(folder, (query, id = '') => {
    const operation = QUERIES.indexOf(query)
    return `GET /${operation}/${recordings[operation]?.offsetOf(id)} HTTP/1.1\r\nHost: localhost\r\n\r\n`
  })
  try {
    return await run(bare, { ...options, idle: true })
  } finally {
    await bare.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const mib = (bytes: number) => bytes / MIB
const gib = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(2)} GiB`
const middle = <T>(runs: readonly T[], of: (run: T) => number) => quantile(runs.map(of), 0.5)

export const storm: Scenario = {
  name: 'storm',
  load: '5,000 clients with 20 operations come back to a fresh instance, each having missed 1 to 10,000 events',
  needs: ['generator', 'kafka'],
  quick: false,
  async run(settings) {
    const clients = settings.clients ?? (settings.quick ? CLIENTS_QUICK : CLIENTS)
    const budget = BUDGET_MIB + clients * LAGGING_MIB
    await using systems = new AsyncDisposableStack()
    const other = await startSluice({ brokers: await brokers(), tree: settings.tree })
    systems.defer(() => other.stop())

    const storms: Storm[] = []
    const compressed: Storm[] = []
    const bares: RunResult[] = []
    const notes = new Set<string>()
    let faulty = 0
    const prepare = async (): Promise<[RunOptions, Recording[]]> => {
      const name = newRun()
      const recordings = await record(other, name)
      for (const recording of recordings) recording.close()
      const options: RunOptions = {
        load: returning(clients, recordings),
        run: name,
        resumeAfter: OF_EACH * ORDERS.length,
        parallel: AT_ONCE,
        limitMs: LIMIT_MS,
        drainMs: DRAIN_MS,
      }
      return [options, recordings]
    }
    const say = (round: number, label: string, result: RunResult) => {
      for (const fault of result.faults) notes.add(`${label}: ${fault}`)
      settings.say(`  round ${round + 1}, ${label}: ${sentence(result)}`)
    }
    /** Each storm right after its own orders were made: those that are made later would be too many for it. */
    const plain = async (round: number): Promise<void> => {
      const [options, recordings] = await prepare()
      const turns = [
        async () => {
          const result = await stormOfSluice(options, settings)
          storms.push(result)
          if (result.faults.length > 0) faulty++
          say(round, 'Sluice', result)
        },
        async () => {
          const result = await stormOfBare(options, recordings)
          bares.push(result)
          say(round, 'bare', result)
        },
      ]
      for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn()
    }
    const small = async (round: number): Promise<void> => {
      const [options] = await prepare()
      const result = await stormOfSluice(options, settings, true)
      compressed.push(result)
      if (result.faults.length > 0) faulty++
      say(round, 'Sluice, compressed', result)
    }
    // Another checkout may have no compression.
    const parts = settings.warmUp ? [plain] : [plain, small]
    for (let round = 0; round < settings.rounds; round++) {
      for (const part of round % 2 === 0 ? parts : parts.toReversed()) await part(round)
    }
    const grown = storms.map(({ rss, peakRss }) => mib(peakRss - rss))
    const seconds = (runs: readonly RunResult[]) => runs.map(({ caughtUpMs }) => caughtUpMs / 1000)
    const sizes = (runs: readonly RunResult[]) => runs.map(({ bytes }) => bytes)
    const ratios = paired(seconds(storms), seconds(bares), (a, b) => a / b)
    return {
      measures: [
        atMost('time until all are caught up, of bare', spreadOf(ratios), TARGET, '×', faulty),
        atMost('RSS grown', spreadOf(grown), budget, 'MiB', faulty),
        ...(compressed.length === 0
          ? []
          : [
              told(
                'time, compressed, of plain',
                spreadOf(paired(seconds(compressed), seconds(storms), (a, b) => a / b)),
                '×',
              ),
              told(
                'bytes, compressed, of plain',
                spreadOf(paired(sizes(compressed), sizes(storms), (a, b) => a / b)),
                '×',
              ),
            ]),
      ],
      own: [
        { what: 'time until all are caught up', unit: 's', better: 'less', values: seconds(storms) },
        { what: 'own CPU', unit: 's', better: 'less', values: storms.map(({ serverCpuMs }) => serverCpuMs / 1000) },
        {
          what: 'p99 of catching up',
          unit: 'ms',
          better: 'less',
          values: storms.map(({ latencyMs }) => latencyMs.p99),
        },
      ],
      plot: {
        title: `Until ${clients.toLocaleString('en-US')} clients are caught up`,
        unit: 's',
        series: [
          { system: 'Sluice', values: seconds(storms) },
          { system: 'bare', values: seconds(bares) },
        ],
      },
      notes: [
        `${clients} clients; ${gib(middle(storms, ({ bytes }) => bytes))} from Sluice, ${gib(middle(bares, ({ bytes }) => bytes))} from bare`,
        `Sluice's memory: ${Math.round(mib(middle(storms, ({ rss }) => rss)))} MiB before, at most ${Math.round(mib(middle(storms, ({ peakRss }) => peakRss)))} MiB`,
        `${figure(middle(storms, ({ executions }) => executions))} executions for ${figure(OPERATIONS * OF_EACH)} events of ${OPERATIONS} operations; ${figure(middle(storms, ({ live }) => live))} deliveries live`,
        `${figure(middle(storms, ({ writes }) => writes))} writes, of ${figure(middle(storms, ({ writes, sent }) => sent / writes))} bytes each`,
        ...busy('Sluice', storms),
        ...busy('bare', bares),
        ...notes,
      ],
    }
  },
}

function busy(label: string, runs: readonly RunResult[]): string[] {
  const share = (of: (run: RunResult) => number) => `${Math.round(middle(runs, (run) => of(run) / run.seconds / 10))} %`
  const cpu = (middle(runs, ({ serverCpuMs }) => serverCpuMs) / 1000).toFixed(1)
  return [
    `${label}: ${cpu} s of processor time, the server busy ${share(({ serverCpuMs }) => serverCpuMs)} of its core, the generator ${share(({ ownCpuMs }) => ownCpuMs)} of the other`,
  ]
}

function sentence(result: RunResult): string {
  const { caughtUpMs, firstEventMs, bytes, seconds, latencyMs, serverCpuMs, ownCpuMs, faults } = result
  const parts = [
    `${(caughtUpMs / 1000).toFixed(2)} s`,
    `half of them ${(latencyMs.p50 / 1000).toFixed(2)} s`,
    `the first event after ${firstEventMs.toFixed(0)} ms`,
    `${gib(bytes)}`,
    `server ${(serverCpuMs / 1000).toFixed(1)} s of CPU`,
    `generator ${Math.round(ownCpuMs / seconds / 10)} %`,
  ]
  if ('peakRss' in result) {
    const { rss, peakRss, executions, writes } = result as Storm
    parts.push(`${Math.round(mib(rss))} MiB, at most ${Math.round(mib(peakRss))}`)
    parts.push(`${figure(executions)} executions`, `${figure(writes)} writes`)
  }
  return [...parts, ...faults].join(', ')
}
