import { brokers } from '../harness/broker.ts'
import { oneRegion } from '../harness/load.ts'
import { alternate, bestWindow, deliveriesPerSecond, type Entrant, ownFigures } from '../harness/rounds.ts'
import { atLeast, type Scenario } from '../harness/scenario.ts'
import { paired, spreadOf } from '../harness/statistics.ts'
import { startSluice, startYoga } from '../systems/start.ts'

const STREAMS = 1000

export const flood: Scenario = {
  name: 'flood',
  load: '1,000 subscribers of one region, through Kafka, as many events as each system takes without loss',
  needs: ['generator', 'kafka'],
  quick: false,
  async run(settings) {
    const load = oneRegion(STREAMS)
    const times = { warmMs: 1000, measureMs: settings.quick ? 1500 : 3000, drainMs: 20_000 }
    await using systems = new AsyncDisposableStack()
    const entrants: Entrant[] = []
    for (const start of [startSluice, startYoga]) {
      const system = await start({ brokers: await brokers(), tree: settings.tree, profile: settings.profile })
      systems.defer(() => system.stop())
      const window = await bestWindow(system, { load }, settings)
      entrants.push({ label: system.name, system, options: { load, window, ...times } })
    }
    const rounds = await alternate(entrants, settings)
    const { results, notes, faults } = rounds
    const rates = new Map([...results].map(([label, runs]) => [label, runs.map(deliveriesPerSecond)]))
    const ratios = paired(rates.get('Sluice') ?? [], rates.get('Yoga') ?? [], (a, b) => a / b)
    return {
      measures: [atLeast('deliveries/s, of Yoga', spreadOf(ratios), 100, '×', faults.get('Sluice'))],
      own: [
        { what: 'deliveries/s', unit: '/s', better: 'more', values: rates.get('Sluice') ?? [] },
        ...ownFigures(rounds),
      ],
      plot: {
        title: 'Deliveries a second',
        unit: '/s',
        series: [...rates].map(([system, values]) => ({ system, values })),
      },
      notes,
    }
  },
}
