import type { Compared, Pair } from '../harness/compare.ts'
import { type Better, figure, type Measure, type Outcome } from '../harness/scenario.ts'
import { paired, quantile, type Spread, spreadOf } from '../harness/statistics.ts'

export interface Finished {
  readonly name: string
  readonly load: string
  readonly outcome: Outcome
}

const HEAD = ['scenario', 'what', 'target', 'result (quartiles)', '']
const COMPARED_HEAD = ['scenario', 'what', 'before', 'after', 'after / before (quartiles)', '']
/** A median ratio within this is no difference. */
const TOLERANCE = 0.03
/** Fewer have no quartiles worth the name. */
const ROUNDS_TO_TELL = 4

export function rowsOf(finished: readonly Finished[]): string[][] {
  return finished.flatMap(({ name, outcome }) => outcome.measures.map((measure) => [name, ...cells(measure)]))
}

function cells({ what, target, result, unit, met }: Measure): string[] {
  const spread = `${figure(result.median)} ${unit} (${figure(result.low)}–${figure(result.high)})`
  return [what, target, spread, met === undefined ? '' : met ? 'met' : 'missed']
}

/** For a terminal; the notes below it. */
export function tableOf(finished: readonly Finished[]): string {
  const notes = finished.flatMap(({ name, outcome }) => outcome.notes.map((note) => `${name}: ${note}`))
  return [...aligned([HEAD, ...rowsOf(finished)]), '', ...notes].join('\n')
}

/** Before and after, by medians; the ratio is the median of each round's. */
export function comparisonTable(compared: readonly Compared[]): string {
  const rows = compared.flatMap(({ scenario, pairs }) => pairs.map((pair) => [scenario, ...comparedCells(pair)]))
  const notes = compared.flatMap(({ scenario, notes }) => notes.map((note) => `${scenario}: ${note}`))
  return [...aligned([COMPARED_HEAD, ...rows]), '', ...notes].join('\n')
}

function comparedCells({ what, unit, better, before, after }: Pair): string[] {
  const ratio = spreadOf(paired(after, before, (now, was) => now / was))
  const side = (values: readonly number[]) => `${figure(quantile(values, 0.5))} ${unit}`
  const spread = `${ratio.median.toFixed(3)} (${ratio.low.toFixed(3)}–${ratio.high.toFixed(3)})`
  return [what, side(before), side(after), spread, better === undefined ? '' : verdict(ratio, better, before.length)]
}

/** Where the quartiles of the ratio lie on both sides of 1, more rounds are needed to tell. */
function verdict({ median, low, high }: Spread, better: Better, rounds: number): string {
  if (rounds < ROUNDS_TO_TELL) return 'too few rounds to tell'
  const worse = better === 'less' ? median > 1 + TOLERANCE : median < 1 - TOLERANCE
  if (worse) return low <= 1 && high >= 1 ? 'worse by more than 3 %, within noise' : 'worse by more than 3 %'
  const improved = better === 'less' ? high < 1 - TOLERANCE : low > 1 + TOLERANCE
  return improved ? 'better by more than 3 %' : 'same'
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
