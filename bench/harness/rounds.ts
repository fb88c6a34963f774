import { type RunOptions, type RunResult, run } from './generator.ts'
import type { Own, Settings } from './scenario.ts'
import type { System } from './system.ts'

/** What a system is run with: the same in every round. */
export interface Entrant {
  readonly label: string
  readonly system: System
  readonly options: RunOptions
}

export interface Rounds {
  readonly results: ReadonlyMap<string, readonly RunResult[]>
  readonly notes: readonly string[]
  /** Runs in which something was lost, by label. */
  readonly faults: ReadonlyMap<string, number>
}

/** More than the results after which an operation is compiled. */
const WARM_UP_EVENTS = 600
const WARM_UP_RATE = 300

/** Short rounds, many of them; within a round each entrant has its turn, and another one begins each time. */
export async function alternate(entrants: readonly Entrant[], settings: Settings): Promise<Rounds> {
  const results = new Map<string, RunResult[]>(entrants.map(({ label }) => [label, []]))
  const faults = new Map<string, number>(entrants.map(({ label }) => [label, 0]))
  const notes = new Set<string>()
  for (const { system, options } of settings.warmUp ? entrants : []) {
    if (system.name !== 'Sluice') continue
    await run(system, { load: options.load, count: WARM_UP_EVENTS, rate: WARM_UP_RATE })
  }
  for (let round = 0; round < settings.rounds; round++) {
    for (let turn = 0; turn < entrants.length; turn++) {
      const { label, system, options } = entrants[(round + turn) % entrants.length] as Entrant
      const result = await run(system, options)
      results.get(label)?.push(result)
      if (result.faults.length > 0) {
        faults.set(label, (faults.get(label) ?? 0) + 1)
        notes.add(`${label}: ${result.faults.slice(0, 3).join('; ')}`)
      }
      settings.say(`  round ${round + 1}, ${label}: ${sentence(result)}`)
    }
  }
  for (const [label, runs] of results) notes.add(busy(label, runs))
  return { results, notes: [...notes], faults }
}

/** Microseconds of the server's processor time for each delivery. */
export const cpuOfDelivery = (result: RunResult): number => (1000 * result.serverCpuMs) / result.deliveries

/** Processor time and latency of Sluice, under this label. */
export function ownFigures({ results }: Rounds, label = 'Sluice', suffix = ''): Own[] {
  const runs = results.get(label) ?? []
  return [
    { what: `own CPU a delivery${suffix}`, unit: 'µs', better: 'less', values: runs.map(cpuOfDelivery) },
    { what: `p99 latency${suffix}`, unit: 'ms', better: 'less', values: runs.map(({ latencyMs }) => latencyMs.p99) },
  ]
}

export const deliveriesPerSecond = (result: RunResult): number => result.deliveries / result.seconds

function sentence(result: RunResult): string {
  const { seconds, events, latencyMs, serverCpuMs, ownCpuMs, faults } = result
  const parts = [
    `${Math.round(events / seconds)} events/s`,
    `${Math.round(deliveriesPerSecond(result)).toLocaleString('en-US')} deliveries/s`,
    `${cpuOfDelivery(result).toFixed(2)} µs each`,
    `p50 ${latencyMs.p50.toFixed(2)} ms`,
    `p99 ${latencyMs.p99.toFixed(2)} ms`,
    `server ${percent(serverCpuMs, seconds)}`,
    `generator ${percent(ownCpuMs, seconds)}`,
  ]
  return [...parts, ...faults].join(', ')
}

/** A server's core is never quite its own: what others took of it says how far the figures are to be trusted. */
function busy(label: string, runs: readonly RunResult[]): string {
  const mean = (of: (result: RunResult) => number) => runs.reduce((sum, result) => sum + of(result), 0) / runs.length
  const seconds = mean((result) => result.seconds)
  const share = (of: (result: RunResult) => number) => percent(Math.max(0, mean(of)), seconds)
  const events = Math.round(mean((result) => result.events / result.seconds))
  return (
    `${label}: ${events} events/s, the server busy ${share((result) => result.serverCpuMs)} of its core, others ` +
    `${share((result) => result.coreBusyMs - result.serverCpuMs)} of the same, the generator ` +
    `${share((result) => result.ownCpuMs)} of the other`
  )
}

function percent(cpuMs: number, seconds: number): string {
  return `${Math.round(cpuMs / seconds / 10)} %`
}

const SEARCH_MS = 1_500
/** Events under way: from what keeps one batch busy to what keeps a socket's buffers full. */
const WINDOWS = [4, 16, 64, 256, 1024]
const WINDOWS_QUICK = [4, 64]
/** Beyond this gain a larger window is worth its latency. */
const WORTHWHILE = 1.05

/**
 * Finds with how many events under way a system delivers most without loss: the smallest window that is within a few
 * percent of the best. As many events go in as come out, so that nothing piles up but what the window holds.
 */
export async function bestWindow(system: System, options: RunOptions, settings: Settings): Promise<number> {
  const known = settings.windows.get(system.name)
  if (known !== undefined) return known
  let best = { window: WINDOWS[0] as number, rate: 0 }
  for (const window of settings.quick ? WINDOWS_QUICK : WINDOWS) {
    const result = await run(system, { ...options, window, warmMs: SEARCH_MS / 2, measureMs: SEARCH_MS })
    const rate = deliveriesPerSecond(result)
    settings.say(`  ${system.name}, ${window} events under way: ${sentence(result)}`)
    if (result.faults.length > 0) break
    if (rate > best.rate * WORTHWHILE) best = { window, rate }
    else if (rate < best.rate / WORTHWHILE) break
  }
  settings.windows.set(system.name, best.window)
  return best.window
}
