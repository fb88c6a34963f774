import { hold } from '../harness/generator.ts'
import { oneRegion } from '../harness/load.ts'
import { atMost, type Scenario } from '../harness/scenario.ts'
import { paired, spreadOf } from '../harness/statistics.ts'
import type { System } from '../harness/system.ts'
import { startBare, startSluice } from '../systems/start.ts'

const FEW = 1000
const MANY = 15_000
const MANY_QUICK = 5000

/** Bytes of resident memory for each stream more, after garbage collection. */
export async function slope(system: System, many: number): Promise<number> {
  const rss = async () => (await system.collectedRss?.()) ?? Number.NaN
  const few = await hold(system, { load: oneRegion(FEW) })
  const before = await rss()
  const more = await hold(system, { load: oneRegion(many - FEW) })
  const after = await rss()
  await Promise.all([few.close(), more.close()])
  const faults = [...few.result.faults, ...more.result.faults]
  if (faults.length > 0) throw new Error(`${system.name}: ${faults.join('; ')}`)
  return (after - before) / (many - FEW)
}

export const memory: Scenario = {
  name: 'memory',
  load: 'idle streams: what each takes from the 1,000th to the 15,000th, after garbage collection, in a new process each time',
  needs: ['generator'],
  quick: false,
  async run(settings) {
    const many = settings.quick ? MANY_QUICK : MANY
    const bytes: Record<'Sluice' | 'bare', number[]> = { Sluice: [], bare: [] }
    for (let round = 0; round < settings.rounds; round++) {
      const order = [startSluice, startBare]
      for (const start of round % 2 === 0 ? order : order.reverse()) {
        const system = await start({ tree: settings.tree, gc: true })
        try {
          const each = await slope(system, many)
          bytes[system.name as 'Sluice' | 'bare'].push(each)
          settings.say(`  round ${round + 1}, ${system.name}: ${Math.round(each)} bytes a stream`)
        } finally {
          await system.stop()
        }
      }
    }
    const ratios = paired(bytes.Sluice, bytes.bare, (a, b) => a / b)
    return {
      measures: [atMost('RSS a stream, of bare', spreadOf(ratios), 1.3)],
      own: [{ what: 'RSS a stream', unit: 'bytes', better: 'less', values: bytes.Sluice }],
      plot: {
        title: 'Resident memory of an idle stream',
        unit: 'bytes',
        series: Object.entries(bytes).map(([system, values]) => ({ system, values })),
      },
      notes: settings.quick ? [`Up to ${many} streams only`] : [],
    }
  },
}
