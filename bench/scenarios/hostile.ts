import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attack } from '../harness/attackers.ts'
import { brokers } from '../harness/broker.ts'
import { type RunResult, run } from '../harness/generator.ts'
import { oneRegion, postRequest } from '../harness/load.ts'
import { atMost, type Scenario } from '../harness/scenario.ts'
import { paired, spreadOf } from '../harness/statistics.ts'
import { startSluice } from '../systems/start.ts'

const STREAMS = 200
/** Orders a second: some have to be late, if any are. */
const RATE = 200
const TARGET = 2
const KEY = 'a key of the hostile principal'
/** Who attacks, by the headers of each. */
const HOSTILE = {
  'a principal': [{ 'x-api-key': KEY, 'x-forwarded-for': '198.51.100.1' }],
  'addresses without credentials': [2, 3, 4, 5].map((n) => ({ 'x-forwarded-for': `198.51.100.${n}` })),
} as const

/**
 * Lower than the defaults: the hostile are to be at their limits within seconds. The friendly are one address as well,
 * and open their 200 streams at once.
 */
const LIMITS = {
  MAX_STREAMS_PER_PRINCIPAL: '100',
  NEW_STREAMS_PER_PRINCIPAL: '10',
  MAX_GROUPS_PER_PRINCIPAL: '50',
  MAX_STREAMS_PER_ADDRESS: '300',
  NEW_STREAMS_PER_ADDRESS: '50',
}

/** Friendly clients, each behind the proxy as at one address. */
const friendlyRequest = (query: string, lastEventId?: string) =>
  postRequest(query, lastEventId, 'X-Forwarded-For: 203.0.113.1\r\n')

export const hostile: Scenario = {
  name: 'hostile',
  load: '200 clients of one region, 200 events/s through Kafka; alone, and beside hostile ones at all their limits',
  needs: ['generator', 'kafka'],
  quick: false,
  async run(settings) {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
    await using systems = new AsyncDisposableStack()
    systems.defer(() => rmSync(folder, { recursive: true, force: true }))
    const keys = join(folder, 'keys.json')
    writeFileSync(keys, JSON.stringify([{ id: 'hostile', sha256: createHash('sha256').update(KEY).digest('hex') }]))
    const env = { API_KEYS_FILE: keys, ANONYMOUS: 'true', TRUSTED_PROXIES: '127.0.0.1', ...LIMITS }
    const started = await startSluice({ brokers: await brokers(), env, tree: settings.tree, profile: settings.profile })
    systems.defer(() => started.stop())
    const system = { ...started, request: friendlyRequest }
    const load = oneRegion(STREAMS)
    const times = settings.quick ? { warmMs: 5_000, measureMs: 3_000 } : { warmMs: 10_000, measureMs: 6_000 }
    const options = { load, rate: RATE, ...times }
    const labels = ['alone', ...Object.keys(HOSTILE)]
    const results = new Map<string, RunResult[]>(labels.map((label) => [label, []]))
    const notes: string[] = []
    for (let round = 0; round < settings.rounds; round++) {
      for (let turn = 0; turn < labels.length; turn++) {
        const label = labels[(round + turn) % labels.length] as string
        const hosts = HOSTILE[label as keyof typeof HOSTILE]
        const attackers = hosts && attack(started.port, hosts)
        const result = await run(system, options)
        await attackers?.stop()
        results.get(label)?.push(result)
        const { latencyMs, faults } = result
        const said = attackers ? `, ${attackers.counts.attempts} attempts, ${attackers.counts.refused} refused` : ''
        settings.say(
          `  round ${round + 1}, ${label}: p50 ${latencyMs.p50.toFixed(2)} ms, p99 ${latencyMs.p99.toFixed(2)} ms${said}`,
        )
        if (faults.length > 0) notes.push(`${label}: ${faults.slice(0, 3).join('; ')}`)
      }
    }
    const p99 = (label: string) => (results.get(label) ?? []).map(({ latencyMs }) => latencyMs.p99)
    const lost = (label: string) => (results.get(label) ?? []).filter(({ faults }) => faults.length > 0).length
    return {
      measures: Object.keys(HOSTILE).map((label) => {
        const ratio = spreadOf(paired(p99(label), p99('alone'), (a, b) => a / b))
        return atMost(`p99 beside ${label}, of that alone`, ratio, TARGET, '×', lost(label) + lost('alone'))
      }),
      plot: {
        title: 'p99 latency of the friendly',
        unit: 'ms',
        series: labels.map((label) => ({ system: label, values: p99(label) })),
      },
      notes: [
        'The hostile are this process, on the core of the generator, which measures: what they cost it counts as latency',
        ...notes,
      ],
    }
  },
}
