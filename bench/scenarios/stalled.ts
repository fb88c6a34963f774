import { setTimeout as delay } from 'node:timers/promises'
import { brokers } from '../harness/broker.ts'
import { run } from '../harness/generator.ts'
import { oneRegion } from '../harness/load.ts'
import { alternate } from '../harness/rounds.ts'
import { atMost, type Measure, type Scenario } from '../harness/scenario.ts'
import { paired, type Spread, spreadOf } from '../harness/statistics.ts'
import { startSluice } from '../systems/start.ts'

const STREAMS = 500
const STALLED = 50
/** Some 200 KB a second to each: a socket that nobody reads is full within a second or two. */
const RATE = 500
const LONG_MS = 120_000
const LONG_QUICK_MS = 20_000
const WARM_MS = 5_000
const MIB = 1024 * 1024
/** The gateway's budget for all frames that are kept for the slow: FRAME_LOG_BYTES. */
const FRAME_BUDGET_MIB = 64
/** The window of events is not what is looked at here: full before we look, it grows no more. */
const WINDOW_BYTES = 2 * MIB
/** Either will do. */
const P99_RATIO = 1.5
const P99_MORE_MS = 5

export const stalled: Scenario = {
  name: 'stalled',
  load: '500 clients of one region, 500 events/s through Kafka; then 50 of them never read, and come back whenever they are closed',
  needs: ['generator', 'kafka'],
  quick: false,
  async run(settings) {
    const load = oneRegion(STREAMS)
    const times = settings.quick ? { warmMs: 2000, measureMs: 2000 } : { warmMs: 3000, measureMs: 4000 }
    await using systems = new AsyncDisposableStack()
    const env = { WINDOW_BYTES: String(WINDOW_BYTES) }
    const system = await startSluice({ brokers: await brokers(), env, tree: settings.tree, profile: settings.profile })
    systems.defer(() => system.stop())
    const { results, notes, faults } = await alternate(
      [
        { label: 'none stalled', system, options: { load, rate: RATE, ...times } },
        { label: '50 stalled', system, options: { load, rate: RATE, stalled: STALLED, ...times } },
      ],
      settings,
    )
    const p99 = new Map([...results].map(([label, runs]) => [label, runs.map(({ latencyMs }) => latencyMs.p99)]))
    const [without, withStalled] = [p99.get('none stalled') ?? [], p99.get('50 stalled') ?? []]

    const measureMs = settings.quick ? LONG_QUICK_MS : LONG_MS
    // What the process takes as it warms up, with nobody stalled, is no matter of the stalled ones: first, and apart.
    const calm = await run(system, { load, rate: RATE, warmMs: WARM_MS, measureMs })
    const running = run(system, { load, rate: RATE, stalled: STALLED, warmMs: WARM_MS, measureMs })
    const look = async () => {
      await delay(WARM_MS + measureMs / 2)
      return [await system.metric('sluice_lagging_subscribers'), await system.metric('sluice_frame_log_bytes')] as const
    }
    const [long, [lagging, kept]] = await Promise.all([running, look()])
    const [first = 0] = long.rssBytes
    const [firstCalm = 0] = calm.rssBytes
    const growth = (Math.max(...long.rssBytes) - first) / MIB
    const lost = (faults.get('50 stalled') ?? 0) + long.faults.length
    return {
      measures: [
        latencyMeasure(
          paired(withStalled, without, (a, b) => a / b),
          paired(withStalled, without, (a, b) => a - b),
          lost,
        ),
        atMost('RSS grown', { median: growth, low: growth, high: growth }, FRAME_BUDGET_MIB, 'MiB', lost),
      ],
      plot: {
        title: 'p99 latency of those who read',
        unit: 'ms',
        series: [...p99].map(([system, values]) => ({ system, values })),
      },
      notes: [
        ...notes,
        `RSS over ${measureMs / 1000} s: from ${mib(first)} to at most ${mib(Math.max(...long.rssBytes))}; the stalled came back ${long.reconnects} times`,
        `Before that, ${measureMs / 1000} s with none stalled: from ${mib(firstCalm)} to at most ${mib(Math.max(...calm.rssBytes))}`,
        `Half way ${lagging} streams lagged, for whom ${mib(kept)} of frames were kept`,
        ...long.faults,
      ],
    }
  },
}

function latencyMeasure(ratios: readonly number[], differences: readonly number[], lost: number): Measure {
  const ratio: Spread = spreadOf(ratios)
  const more = spreadOf(differences).median
  const met = lost === 0 && (ratio.median <= P99_RATIO || more <= P99_MORE_MS)
  const what = `p99 of the others, of that with none stalled (${more.toFixed(1)} ms more)`
  return {
    what,
    target: `≤ ${P99_RATIO} × or + ${P99_MORE_MS} ms`,
    result: ratio,
    unit: '×',
    met,
    better: 'less',
    faults: lost,
  }
}

function mib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`
}
