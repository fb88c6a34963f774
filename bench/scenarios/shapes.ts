import { brokers } from '../harness/broker.ts'
import { anOrder, type Load } from '../harness/load.ts'
import {
  alternate,
  bestWindow,
  cpuOfDelivery,
  deliveriesPerSecond,
  type Entrant,
  ownFigures,
} from '../harness/rounds.ts'
import { atMost, type Scenario } from '../harness/scenario.ts'
import { paired, spreadOf } from '../harness/statistics.ts'
import { startSluice, startYoga } from '../systems/start.ts'

const SELECTIONS = 200
const STREAMS_EACH = 5
const FIELDS = [
  'merchantId',
  'region',
  'country',
  'city',
  'location { lat lon }',
  'total { amount currency }',
  'itemCount',
  'status',
  'placedAt',
]

/** Every selection has the id, by which the generator checks the order, and another subset of the other fields. */
function selections(): Load {
  const subsets = 2 ** FIELDS.length
  const asks = Array.from({ length: SELECTIONS }, (_, i) => {
    // 37 and the number of subsets have no common divisor, so no subset comes twice.
    const subset = (i * 37) % subsets
    const fields = FIELDS.filter((_, bit) => subset & (1 << bit))
    const query = `subscription { ordersByRegion(region: EUROPE) { ${['id', ...fields].join(' ')} } }`
    return { query, key: 0, streams: STREAMS_EACH }
  })
  return { asks, orders: [anOrder()] }
}

export const shapes: Scenario = {
  name: 'shapes',
  load: '200 different selections on one region, 5 subscribers each, through Kafka, each system at its own highest lossless rate',
  needs: ['generator', 'kafka'],
  quick: false,
  async run(settings) {
    const load = selections()
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
    const cpu = new Map([...results].map(([label, runs]) => [label, runs.map(cpuOfDelivery)]))
    const ratios = paired(cpu.get('Sluice') ?? [], cpu.get('Yoga') ?? [], (a, b) => a / b)
    return {
      measures: [atMost('CPU a delivery, of Yoga', spreadOf(ratios), 1 / 10, '×', faults.get('Sluice'))],
      own: [
        {
          what: 'deliveries/s',
          unit: '/s',
          better: 'more',
          values: (results.get('Sluice') ?? []).map(deliveriesPerSecond),
        },
        ...ownFigures(rounds),
      ],
      plot: {
        title: 'CPU a delivery',
        unit: 'µs',
        series: [...cpu].map(([system, values]) => ({ system, values })),
      },
      notes,
    }
  },
}
