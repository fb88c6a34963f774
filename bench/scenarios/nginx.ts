import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunResult } from '../harness/generator.ts'
import { oneRegion } from '../harness/load.ts'
import { alternate, cpuOfDelivery, type Entrant } from '../harness/rounds.ts'
import { figure, type Scenario, told } from '../harness/scenario.ts'
import { paired, quantile, spreadOf } from '../harness/statistics.ts'
import { startNginx, WORKERS } from '../systems/nginx.ts'
import { startSluice } from '../systems/start.ts'

/** So many that Nginx and the gateway can do 1,000 events/s to each on one core, with half of it to spare. */
const STREAMS = 500
/** Under way at most: where the machine is too busy for the rate, what does not go out does not pile up. */
const WINDOW = 256
const DRAIN_MS = 30_000
/** With the one every event is a write to each client, with the other tens of events share it. */
const RATES = [10, 1000] as const
const ALONE = 'gateway alone'
const WAYS = [ALONE, 'Nginx, TCP', 'Nginx, unix socket'] as const

export const nginx: Scenario = {
  name: 'nginx',
  load: '500 subscribers of one region through Nginx to one gateway, by TCP and by a unix socket: 10 events/s, and 1,000, which coalesce; fed lines, without Kafka',
  needs: ['generator', 'nginx'],
  quick: false,
  async run(settings) {
    const times = settings.quick ? { warmMs: 1000, measureMs: 1500 } : { warmMs: 1500, measureMs: 4000 }
    await using systems = new AsyncDisposableStack()
    const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
    systems.defer(() => rmSync(folder, { recursive: true, force: true }))
    const start = async <S extends { stop(): Promise<void> }>(starting: Promise<S>): Promise<S> => {
      const system = await starting
      systems.defer(() => system.stop())
      return system
    }
    const byTcp = await start(startSluice({ embedded: true, tree: settings.tree, profile: settings.profile }))
    const bySocket = await start(
      startSluice({ embedded: true, tree: settings.tree, socket: join(folder, 'gateway.sock') }),
    )
    const ways = [byTcp, await start(startNginx([byTcp])), await start(startNginx([bySocket]))]

    const entrants = RATES.flatMap((rate) =>
      ways.map((system, i): Entrant => {
        const label = `${WAYS[i]}, ${figure(rate)} events/s`
        return {
          label,
          system,
          options: { load: oneRegion(STREAMS), rate, window: WINDOW, drainMs: DRAIN_MS, ...times },
        }
      }),
    )
    const { results, notes, faults } = await alternate(entrants, settings)
    const cpu = new Map([...results].map(([label, runs]) => [label, runs.map(cpuOfDelivery)]))
    const more = RATES.flatMap((rate) => {
      const [alone, ...behind] = WAYS.map((way) => `${way}, ${figure(rate)} events/s`) as [string, ...string[]]
      return behind.map((label) => {
        const ratio = paired(cpu.get(label) ?? [], cpu.get(alone) ?? [], (a, b) => a / b)
        const ofNginx = figure(quantile((results.get(label) ?? []).map(cpuOfWorkers), 0.5))
        return `${label}: ${figure(quantile(ratio, 0.5))} × the gateway alone; ${ofNginx} µs a delivery are Nginx's (medians)`
      })
    })
    return {
      measures: [...cpu].map(([label, values]) =>
        told(`CPU a delivery, ${label}`, spreadOf(values), 'µs', faults.get(label)),
      ),
      plot: {
        title: 'CPU a delivery, of all processes',
        unit: 'µs',
        series: [...cpu].map(([system, values]) => ({ system: system.replace(' events', ''), values })),
      },
      notes: [...more, ...notes],
    }
  },
}

/** Microseconds a delivery of Nginx's workers alone. */
function cpuOfWorkers({ eachCpuMs, deliveries }: RunResult): number {
  return (1000 * eachCpuMs.slice(0, WORKERS).reduce((sum, ms) => sum + ms, 0)) / deliveries
}
