import type { Need } from './needs.ts'
import type { Spread } from './statistics.ts'

export interface Settings {
  readonly rounds: number
  /** Fewer clients and shorter intervals: to see that all runs, not to publish. */
  readonly quick: boolean
  /** Of a storm, or of many streams; undefined: as many as the scenario says. */
  readonly clients: number | undefined
  /** Where Sluice's CPU profile goes; undefined: none is taken. */
  readonly profile: string | undefined
  /** Says on the terminal what is going on. */
  readonly say: (line: string) => void
}

/** One target of a scenario, and what became of it. */
export interface Measure {
  readonly what: string
  /** As the table says it: `at most 1/15`. */
  readonly target: string
  readonly result: Spread
  readonly unit: string
  /** undefined: there is no target. */
  readonly met: boolean | undefined
}

/** The figures of one system, round by round, for the plot. */
export interface Series {
  readonly system: string
  readonly values: readonly number[]
}

export interface Outcome {
  readonly measures: readonly Measure[]
  readonly plot: { readonly title: string; readonly unit: string; readonly series: readonly Series[] }
  /** What else is worth knowing: how busy the generator was, what was skipped, what was lost. */
  readonly notes: readonly string[]
}

export interface Scenario {
  readonly name: string
  readonly load: string
  readonly needs: readonly Need[]
  /** Part of `--quick`. */
  readonly quick: boolean
  run(settings: Settings): Promise<Outcome>
}

export function atMost(what: string, result: Spread, limit: number, unit = '×', faults = 0): Measure {
  return { what, target: `≤ ${figure(limit)} ${unit}`, result, unit, met: faults === 0 && result.median <= limit }
}

export function atLeast(what: string, result: Spread, limit: number, unit = '×', faults = 0): Measure {
  return { what, target: `≥ ${figure(limit)} ${unit}`, result, unit, met: faults === 0 && result.median >= limit }
}

/** A figure without a target; where something was lost it is worth nothing, and missed. */
export function told(what: string, result: Spread, unit: string, faults = 0): Measure {
  return { what, target: '–', result, unit, met: faults === 0 ? undefined : false }
}

/** Three significant digits; thousands in groups. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)))
}
