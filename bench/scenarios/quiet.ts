import { oneRegion } from '../harness/load.ts'
import { alternate, cpuOfDelivery, ownFigures } from '../harness/rounds.ts'
import { atMost, type Scenario } from '../harness/scenario.ts'
import { paired, spreadOf } from '../harness/statistics.ts'
import { startBare, startSluice } from '../systems/start.ts'

const STREAMS = 1000
const RATE = 10

export const quiet: Scenario = {
  name: 'quiet',
  load: '1,000 subscribers of one region, 10 events/s: nothing to coalesce; both are fed lines, without Kafka',
  needs: ['generator'],
  quick: true,
  async run(settings) {
    const load = oneRegion(STREAMS)
    const times = settings.quick ? { warmMs: 1000, measureMs: 2000 } : { warmMs: 1000, measureMs: 4000 }
    await using systems = new AsyncDisposableStack()
    const sluice = await startSluice({ embedded: true, tree: settings.tree, profile: settings.profile })
    systems.defer(() => sluice.stop())
    const bare = await startBare()
    systems.defer(() => bare.stop())
    const entrants = [sluice, bare].map((system) => ({
      label: system.name,
      system,
      options: { load, rate: RATE, ...times },
    }))
    const rounds = await alternate(entrants, settings)
    const { results, notes, faults } = rounds
    const cpu = new Map([...results].map(([label, runs]) => [label, runs.map(cpuOfDelivery)]))
    const ratios = paired(cpu.get('Sluice') ?? [], cpu.get('bare') ?? [], (a, b) => a / b)
    return {
      measures: [atMost('CPU a delivery, of bare', spreadOf(ratios), 1.3, '×', faults.get('Sluice'))],
      own: ownFigures(rounds),
      plot: {
        title: 'CPU a delivery',
        unit: 'µs',
        series: [...cpu].map(([system, values]) => ({ system, values })),
      },
      notes,
    }
  },
}
