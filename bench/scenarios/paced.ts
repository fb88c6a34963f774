import { brokers } from '../harness/broker.ts'
import { oneRegion } from '../harness/load.ts'
import { missing } from '../harness/needs.ts'
import { alternate, bestWindow, cpuOfDelivery, type Entrant, ownFigures } from '../harness/rounds.ts'
import { atLeast, atMost, type Scenario } from '../harness/scenario.ts'
import { paired, spreadOf } from '../harness/statistics.ts'
import { startNchan, startSluice, startYoga } from '../systems/start.ts'

const STREAMS = 1000
const RATE = 100

export const paced: Scenario = {
  name: 'paced',
  load:
    '1,000 subscribers of one region, 100 events/s through Kafka; Yoga (through Kafka) and nchan (fed by HTTP) at their own highest lossless rates, up to ' +
    'the same',
  needs: ['generator', 'kafka'],
  quick: true,
  async run(settings) {
    const load = oneRegion(STREAMS)
    const times = settings.quick ? { warmMs: 700, measureMs: 1500 } : { warmMs: 1000, measureMs: 3000 }
    const withoutNchan = await missing('nchan')
    await using systems = new AsyncDisposableStack()
    const start = async <S extends { stop(): Promise<void> }>(starting: Promise<S>): Promise<S> => {
      const system = await starting
      systems.defer(() => system.stop())
      return system
    }
    const sluice = await start(
      startSluice({ brokers: await brokers(), tree: settings.tree, profile: settings.profile }),
    )
    const others = [await start(startYoga({ brokers: await brokers() }))]
    if (!withoutNchan) others.push(await start(startNchan()))

    const entrants: Entrant[] = [{ label: 'Sluice', system: sluice, options: { load, rate: RATE, ...times } }]
    for (const system of others) {
      const window = await bestWindow(system, { load, rate: RATE }, settings)
      entrants.push({ label: system.name, system, options: { load, rate: RATE, window, ...times } })
    }
    const rounds = await alternate(entrants, settings)
    const { results, notes, faults } = rounds
    const cpu = new Map([...results].map(([label, runs]) => [label, runs.map(cpuOfDelivery)]))
    const own = results.get('Sluice') ?? []
    const lost = faults.get('Sluice') ?? 0
    const ratio = (other: string) => spreadOf(paired(cpu.get('Sluice') ?? [], cpu.get(other) ?? [], (a, b) => a / b))
    const measures = [
      atMost('CPU a delivery, of Yoga', ratio('Yoga'), 1 / 15, '×', lost),
      ...(withoutNchan ? [] : [atMost('CPU a delivery, of nchan', ratio('nchan'), 1 / 2, '×', lost)]),
      atMost('p99 latency', spreadOf(own.map(({ latencyMs }) => latencyMs.p99)), 50, 'ms', lost),
      atLeast('rate kept', spreadOf(own.map(({ events, seconds }) => events / seconds)), 0.98 * RATE, 'events/s', lost),
    ]
    return {
      measures,
      own: ownFigures(rounds),
      plot: {
        title: 'CPU a delivery',
        unit: 'µs',
        series: [...cpu].map(([system, values]) => ({ system, values })),
      },
      notes: withoutNchan ? [...notes, withoutNchan] : notes,
    }
  },
}
