import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { run } from '../harness/generator.ts'
import { anOrder, type Load, oneRegion, WHOLE_ORDER } from '../harness/load.ts'
import { atLeast, type Scenario } from '../harness/scenario.ts'
import { paired, spreadOf } from '../harness/statistics.ts'
import type { System } from '../harness/system.ts'
import { startSluice, startYoga } from '../systems/start.ts'

const STREAMS = 5000
const STREAMS_QUICK = 2000
/** Being opened at any time: enough to keep a server busy, and far from a backlog's end. */
const AT_ONCE = 128
/** Until a server has let go of the streams of the run before. */
const REST_MS = 700

/** Every document another, by an alias, and in every round. */
function allDifferent(streams: number): Load {
  const start = randomInt(2 ** 40)
  const asks = Array.from({ length: streams }, (_, i) => ({
    query: `subscription { o${start + i}: ordersByRegion(region: EUROPE) { ${WHOLE_ORDER} } }`,
    key: 0,
    streams: 1,
  }))
  return { asks, orders: [anOrder()] }
}

/** Streams a second, from the first connect to the last stream's first bytes after its head. */
async function opened(system: System, load: Load): Promise<number> {
  const { openMs, open, faults } = await run(system, { load, idle: true, parallel: AT_ONCE, settleMs: 0, measureMs: 0 })
  await delay(REST_MS)
  if (faults.length > 0) throw new Error(`${system.name}: ${faults.join('; ')}`)
  return (1000 * open) / openMs
}

export const connect: Scenario = {
  name: 'connect',
  load: '5,000 subscriptions opened as fast as accepted: the same document, then all different; no events, no Kafka',
  needs: ['generator'],
  quick: false,
  async run(settings) {
    const streams = settings.quick ? STREAMS_QUICK : STREAMS
    await using systems = new AsyncDisposableStack()
    const sluice = await startSluice({ tree: settings.tree, profile: settings.profile })
    systems.defer(() => sluice.stop())
    const yoga = await startYoga()
    systems.defer(() => yoga.stop())

    const rates = new Map<string, number[]>()
    for (let round = -1; round < settings.rounds; round++) {
      for (const [kind, load] of [
        ['same', () => oneRegion(streams)],
        ['different', () => allDifferent(streams)],
      ] as const) {
        const order = [sluice, yoga]
        for (const system of round % 2 === 0 ? order : order.reverse()) {
          const rate = await opened(system, load())
          // The first round only warms up.
          if (round < 0) continue
          const label = `${system.name}, ${kind}`
          rates.set(label, [...(rates.get(label) ?? []), rate])
          settings.say(`  round ${round + 1}, ${label}: ${Math.round(rate)} streams/s`)
        }
      }
    }
    const ratio = (kind: string) =>
      spreadOf(paired(rates.get(`Sluice, ${kind}`) ?? [], rates.get(`Yoga, ${kind}`) ?? [], (a, b) => a / b))
    return {
      measures: [
        atLeast('streams/s with the same document, of Yoga', ratio('same'), 3),
        atLeast('streams/s with all different ones, of Yoga', ratio('different'), 1.5),
      ],
      own: ['same', 'different'].map((kind) => ({
        what: `streams/s, ${kind}`,
        unit: '/s',
        better: 'more',
        values: rates.get(`Sluice, ${kind}`) ?? [],
      })),
      plot: {
        title: 'Streams opened a second',
        unit: '/s',
        series: ['Sluice, same', 'Yoga, same', 'Sluice, different', 'Yoga, different'].map((system) => ({
          system,
          values: rates.get(system) ?? [],
        })),
      },
      notes: [],
    }
  },
}
