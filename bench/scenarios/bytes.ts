import type { RunResult } from '../harness/generator.ts'
import { gzipRequest, oneRegion } from '../harness/load.ts'
import { alternate, cpuOfDelivery, type Entrant } from '../harness/rounds.ts'
import { atMost, figure, type Measure, type Scenario, told } from '../harness/scenario.ts'
import { paired, quantile, spreadOf } from '../harness/statistics.ts'
import type { System } from '../harness/system.ts'
import { startNginx } from '../systems/nginx.ts'
import { startSluice } from '../systems/start.ts'
import { slope } from './memory.ts'

const STREAMS = 1000
/** Bytes and CPU of a delivery, of plain streams' at the same rate. */
const RATES = [
  { rate: 10, bytes: 0.25 },
  { rate: 100, bytes: 0.2 },
] as const
const MAX_CPU = 1.1
/** Of what a gateway without compression and an Nginx that compresses take together, at the highest rate. */
const MAX_CPU_OF_NGINX = 1 / 5
/** Bytes of memory that compression may take for each stream. */
const MAX_MORE_BYTES = 200
const MANY = 10_000
const MANY_QUICK = 3_000
const MEMORY_ROUNDS = 3

const compressed = (system: System): System => ({ ...system, request: gzipRequest })
/** Nginx's own compression, for event streams too. */
const compressing = (config: string): string => config.replace(/gzip_types [^;]+;/, 'gzip_types *;')

export const bytes: Scenario = {
  name: 'bytes',
  load:
    '1,000 subscribers of one region, 10 and 100 events/s: without compression, with it, and compressed by Nginx instead; ' +
    'fed lines, without Kafka',
  needs: ['generator', 'nginx'],
  quick: false,
  async run(settings) {
    const times = settings.quick ? { warmMs: 1000, measureMs: 1500 } : { warmMs: 1500, measureMs: 4000 }
    const { tree, profile } = settings
    await using systems = new AsyncDisposableStack()
    const start = async <S extends { stop(): Promise<void> }>(starting: Promise<S>): Promise<S> => {
      const system = await starting
      systems.defer(() => system.stop())
      return system
    }
    const plain = await start(startSluice({ embedded: true, tree }))
    const gzip = await start(startSluice({ embedded: true, tree, profile }))
    const behind = await start(startSluice({ embedded: true, tree, env: { COMPRESSION: 'off' } }))
    const nginx = await start(startNginx([behind], { edit: compressing }))
    const ways = [
      { name: 'plain', system: plain },
      { name: 'compressed', system: compressed(gzip) },
      { name: 'plain, compressed by Nginx', system: compressed(nginx) },
    ] as const
    const label = (name: string, rate: number) => `${name}, ${rate} events/s`
    const entrants = RATES.flatMap(({ rate }) =>
      ways.map(
        ({ name, system }): Entrant => ({
          label: label(name, rate),
          system,
          options: { load: oneRegion(STREAMS), rate, ...times },
        }),
      ),
    )
    const { results, notes, faults } = await alternate(entrants, settings)
    const of = (name: string, rate: number, read: (result: RunResult) => number) =>
      (results.get(label(name, rate)) ?? []).map(read)
    const ratio = (name: string, other: string, rate: number, read: (result: RunResult) => number) =>
      spreadOf(paired(of(name, rate, read), of(other, rate, read), (one, two) => one / two))
    const measures = RATES.flatMap(({ rate, bytes: most }): Measure[] => {
      const lost = (name: string) => faults.get(label(name, rate))
      return [
        atMost(
          `bytes a delivery, of plain, ${rate} events/s`,
          ratio('compressed', 'plain', rate, bytesOf),
          most,
          '×',
          lost('compressed'),
        ),
        atMost(
          `CPU a delivery, of plain, ${rate} events/s`,
          ratio('compressed', 'plain', rate, cpuOfDelivery),
          MAX_CPU,
          '×',
          lost('compressed'),
        ),
        told(
          `bytes a delivery, of plain, compressed by Nginx, ${rate} events/s`,
          ratio('plain, compressed by Nginx', 'plain', rate, bytesOf),
          '×',
          lost('plain, compressed by Nginx'),
        ),
      ]
    })
    const { rate } = RATES[1]
    const ofNginx = ratio('compressed', 'plain, compressed by Nginx', rate, cpuOfDelivery)
    measures.push(atMost(`CPU a delivery, of Nginx's compression, ${rate} events/s`, ofNginx, MAX_CPU_OF_NGINX))
    const memory = await memoryOf(settings.quick ? MANY_QUICK : MANY, tree)
    settings.say(`  bytes of memory a stream: plain ${memory.plain}, compressed ${memory.gzip}`)
    const more = paired(memory.gzip, memory.plain, (one, two) => one - two)
    measures.push(atMost('RSS a stream, more than plain', spreadOf(more), MAX_MORE_BYTES, 'bytes'))
    measures.push(told("RSS a stream of Nginx's workers, when it compresses", spreadOf([memory.nginx]), 'bytes'))
    const cpu = [...results].map(([system, runs]) => ({ system, values: runs.map(cpuOfDelivery) }))
    const sizes = [...results].map(
      ([system, runs]) => `${system}: ${figure(quantile(runs.map(bytesOf), 0.5))} bytes a delivery`,
    )
    return {
      measures,
      plot: { title: 'CPU a delivery, of all processes', unit: 'µs', series: cpu },
      notes: [...sizes, ...notes],
    }
  },
}

/** Bytes that came, heads included, for each event that was delivered in the measured interval. */
function bytesOf({ bytes: count, deliveries }: RunResult): number {
  return count / deliveries
}

/** Bytes of memory a stream: of the gateway without and with compression, and of the workers of an Nginx that compresses. */
async function memoryOf(many: number, tree: string | undefined) {
  const figures = { plain: [] as number[], gzip: [] as number[], nginx: Number.NaN }
  for (let round = 0; round < MEMORY_ROUNDS; round++) {
    for (const which of round % 2 === 0 ? (['plain', 'gzip'] as const) : (['gzip', 'plain'] as const)) {
      const system = await startSluice({ embedded: true, tree, gc: true })
      try {
        figures[which].push(Math.round(await slope(which === 'gzip' ? compressed(system) : system, many)))
      } finally {
        await system.stop()
      }
    }
  }
  await using systems = new AsyncDisposableStack()
  const behind = await startSluice({ embedded: true, tree, env: { COMPRESSION: 'off' } })
  systems.defer(() => behind.stop())
  const nginx = await startNginx([behind], { edit: compressing })
  systems.defer(() => nginx.stop())
  const workers = { ...nginx, collectedRss: async () => nginx.workersRss }
  figures.nginx = Math.round(await slope(compressed(workers), MANY_QUICK))
  return figures
}
