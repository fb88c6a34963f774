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
  /** The root of the checkout that Sluice is started from; undefined: this one. */
  readonly tree: string | undefined
  /**
   * Runs Sluice for a while before it is measured: for runs of one round, in which nothing would be compiled yet.
   */
  readonly warmUp: boolean
  /** Events under way, by system, as found by an earlier run: runs that are compared have the same load. */
  readonly windows: Map<string, number>
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
  readonly better: Better | undefined
  /** Runs in which something was lost: the figure is worth nothing. */
  readonly faults: number
}

export type Better = 'less' | 'more'

/** A figure of Sluice alone, round by round: what is compared with another checkout's. */
export interface Own {
  readonly what: string
  readonly unit: string
  readonly better: Better
  readonly values: readonly number[]
}

/** The figures of one system, round by round, for the plot. */
export interface Series {
  readonly system: string
  readonly values: readonly number[]
}

export interface Outcome {
  readonly measures: readonly Measure[]
  /** Beside the measures; absent: they say it all. */
  readonly own?: readonly Own[]
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
  const met = faults === 0 && result.median <= limit
  return { what, target: `≤ ${figure(limit)} ${unit}`, result, unit, met, better: 'less', faults }
}

export function atLeast(what: string, result: Spread, limit: number, unit = '×', faults = 0): Measure {
  const met = faults === 0 && result.median >= limit
  return { what, target: `≥ ${figure(limit)} ${unit}`, result, unit, met, better: 'more', faults }
}

/** A figure without a target; where something was lost it is worth nothing, and missed. */
export function told(what: string, result: Spread, unit: string, faults = 0): Measure {
  return { what, target: '–', result, unit, met: faults === 0 ? undefined : false, better: undefined, faults }
}

/** Three significant digits; thousands in groups. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)))
}
