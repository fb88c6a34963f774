import type { RunResult } from '../harness/generator.ts'
import { anOrder, type Load, WHOLE_ORDER } from '../harness/load.ts'
import { alternate, type Entrant, ownFigures } from '../harness/rounds.ts'
import { atMost, type Scenario } from '../harness/scenario.ts'
import { paired, spreadOf } from '../harness/statistics.ts'
import { startSluice } from '../systems/start.ts'

const RATE = 1000
const MATCHES = 10
const FEW = 1000
const MANY = 10_000

/** Each merchant has ten subscribers, and its turn in the feed. */
function merchants(subscribers: number): Load {
  const ids = Array.from({ length: subscribers / MATCHES }, (_, i) => `m_${String(i).padStart(4, '0')}`)
  return {
    asks: ids.map((id, key) => ({
      query: `subscription { ordersByMerchant(merchantId: "${id}") { ${WHOLE_ORDER} } }`,
      key,
      streams: MATCHES,
    })),
    orders: ids.map((merchantId) => anOrder({ merchantId })),
  }
}

/** Microseconds an event, without what the server takes when nothing happens. */
const cpuOfEvent = (result: RunResult): number =>
  (1000 * (result.serverCpuMs - result.idleShare * 1000 * result.seconds)) / result.events

export const routing: Scenario = {
  name: 'routing',
  load: '1,000 events/s of which each matches 10 subscribers, of 1,000 and of 10,000; lines, without Kafka',
  needs: ['generator'],
  quick: true,
  async run(settings) {
    const times = settings.quick
      ? { warmMs: 700, measureMs: 1500, idleMs: 1000 }
      : { warmMs: 1000, measureMs: 3000, idleMs: 2000 }
    await using systems = new AsyncDisposableStack()
    const entrants: Entrant[] = []
    for (const subscribers of [FEW, MANY]) {
      const system = await startSluice({ embedded: true, tree: settings.tree, profile: settings.profile })
      systems.defer(() => system.stop())
      const options = { load: merchants(subscribers), rate: RATE, ...times }
      entrants.push({ label: subscribers.toLocaleString('en-US'), system, options })
    }
    const rounds = await alternate(entrants, settings)
    const { results, notes, faults } = rounds
    const cpu = [...results].map(([system, runs]) => ({ system, values: runs.map(cpuOfEvent) }))
    const ratios = paired(cpu[1]?.values ?? [], cpu[0]?.values ?? [], (many, few) => many / few)
    const lost = [...faults.values()].reduce((sum, count) => sum + count, 0)
    return {
      measures: [atMost('CPU an event with 10,000 subscribers, of that with 1,000', spreadOf(ratios), 1.2, '×', lost)],
      own: cpu.flatMap(({ system, values }) => [
        { what: `own CPU an event, ${system}`, unit: 'µs', better: 'less' as const, values },
        ...ownFigures(rounds, system, `, ${system}`),
      ]),
      plot: { title: 'CPU an event, by subscribers in all', unit: 'µs', series: cpu },
      notes,
    }
  },
}
