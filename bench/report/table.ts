import { figure, type Measure, type Outcome } from '../harness/scenario.ts'

export interface Finished {
  readonly name: string
  readonly load: string
  readonly outcome: Outcome
}

const HEAD = ['scenario', 'what', 'target', 'result (quartiles)', '']

export function rowsOf(finished: readonly Finished[]): string[][] {
  return finished.flatMap(({ name, outcome }) => outcome.measures.map((measure) => [name, ...cells(measure)]))
}

function cells({ what, target, result, unit, met }: Measure): string[] {
  const spread = `${figure(result.median)} ${unit} (${figure(result.low)}–${figure(result.high)})`
  return [what, target, spread, met === undefined ? '' : met ? 'met' : 'missed']
}

/** For a terminal; the notes below it. */
export function tableOf(finished: readonly Finished[]): string {
  const rows = [HEAD, ...rowsOf(finished)]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const notes = finished.flatMap(({ name, outcome }) => outcome.notes.map((note) => `${name}: ${note}`))
  return [...lines, '', ...notes].join('\n')
}
