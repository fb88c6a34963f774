import { setImmediate as nextTurn } from 'node:timers/promises'
import { Random } from '../soak/random.ts'
import { KINDS } from './kinds.ts'
import { World } from './world.ts'

/** 2^32 over the golden ratio: numbers in a row become seeds far from each other. */
const GOLDEN = 0x9e3779b1
/** Further ones are mostly the same again. */
const MAX_FAULTS = 20
/** So many inputs of a kind have more than one outcome, unless what makes them is wrong. */
const OFTEN = 100
/** Inputs between two looks at the clock, and turns of the event loop. */
const AT_ONCE = 64
/** Node's default. The test runner's is ten times that, and most inputs end with an error. */
const STACK_FRAMES = 10
/** Inputs between two looks at a client that has nothing to do with them. */
const LOOK_EVERY = 20_000

export interface FuzzOptions {
  readonly seed: number
  /** Ends at whichever comes first. */
  readonly seconds: number
  readonly inputs: number
  /** Only the kinds with this in their names. */
  readonly only?: string | undefined
}

export interface FuzzReport {
  readonly inputs: number
  readonly table: string
  readonly faults: readonly string[]
}

/** Inputs of all kinds from a seed, one after the other; then looks at what they have left behind. */
export async function fuzz({ seed, seconds, inputs, only = '' }: FuzzOptions): Promise<FuzzReport> {
  const world = await World.open()
  const kinds = Object.entries(KINDS).filter(([name]) => name.includes(only))
  const weighted = kinds.map(([name, kind]) => [kind.weight, { name, kind }] as const)
  const outcomes = new Map<string, Map<string, number>>(kinds.map(([name]) => [name, new Map()]))
  const spent = new Map<string, number>()
  const faults: string[] = []
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = STACK_FRAMES
  const begin = performance.now()
  const cpu = process.cpuUsage()
  let count = 0
  for (; count < inputs && faults.length < MAX_FAULTS; count++) {
    if (count % AT_ONCE === 0) {
      if (performance.now() - begin > seconds * 1000) break
      await nextTurn()
    }
    if (count % LOOK_EVERY === 0) await world.demandServing()
    const random = new Random(seed ^ Math.imul(count + 1, GOLDEN))
    const { name, kind } = random.weighted(weighted)
    const start = process.threadCpuUsage()
    try {
      const result = kind.run(random, world)
      const outcome = typeof result === 'string' ? result : await result
      const counts = outcomes.get(name) as Map<string, number>
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
    } catch (error) {
      faults.push(`Input ${count} (${name}): ${(error as Error).stack}`)
    }
    const { user, system } = process.threadCpuUsage(start)
    spent.set(name, (spent.get(name) ?? 0) + user + system)
  }
  Error.stackTraceLimit = stackTraceLimit
  const took = (performance.now() - begin) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const rate = Math.round(count / ((user + system) / 1e6))
  await world.demandServing()
  await world.demandNothingLeft()
  for (const line of world.logged.slice(0, MAX_FAULTS)) faults.push(`It logged: ${line}`)
  for (const [name, counts] of outcomes) {
    const isOften = counts.values().reduce((sum, each) => sum + each, 0) >= OFTEN
    if (isOften && counts.size < 2) faults.push(`Of "${name}" there was one outcome only`)
  }
  return { inputs: count, faults, table: tableOf({ count, took, rate, seed }, outcomes, spent) }
}

interface Totals {
  readonly count: number
  /** In seconds. */
  readonly took: number
  /** Inputs by second of CPU: others may have taken the rest of the time. */
  readonly rate: number
  readonly seed: number
}

function tableOf(
  { count, took, rate, seed }: Totals,
  outcomes: ReadonlyMap<string, ReadonlyMap<string, number>>,
  spent: ReadonlyMap<string, number>,
): string {
  const much = `${count.toLocaleString('en')} inputs in ${took.toFixed(0)} s`
  const lines = [`${much}, ${rate.toLocaleString('en')} a second of CPU; FUZZ_SEED=${seed}`]
  for (const [name, counts] of outcomes) {
    const all = counts.values().reduce((sum, each) => sum + each, 0)
    const each = all === 0 ? 0 : Math.round((spent.get(name) ?? 0) / all)
    const sorted = [...counts].sort(([, a], [, b]) => b - a).map(([what, times]) => `${what} ${times}`)
    lines.push(`${name}: ${all}, ${each} µs of CPU each: ${sorted.join(', ')}`)
  }
  return lines.join('\n')
}
