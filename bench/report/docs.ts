/** Writes the results into docs/benchmarks.md, between its markers, and a plot a scenario beside it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machine } from './machine.ts'
import { plot } from './plot.ts'
import { type Finished, rowsOf } from './table.ts'

const DOCS = join(import.meta.dirname, '..', '..', 'docs')
const PAGE = join(DOCS, 'benchmarks.md')

export function writeDocs(finished: readonly Finished[], rounds: number): void {
  const caption = `${machine()}, ${rounds} rounds: median, quartiles, and each round`
  mkdirSync(join(DOCS, 'benchmarks'), { recursive: true })
  for (const { name, outcome } of finished) {
    writeFileSync(join(DOCS, 'benchmarks', `${name}.svg`), plot(outcome.plot, caption))
  }
  let page = readFileSync(PAGE, 'utf8')
  for (const each of finished) page = replaced(page, each.name, sectionOf(each, rounds))
  writeFileSync(PAGE, page)
}

/** What stands between `<!-- NAME -->` and `<!-- /NAME -->`; scenarios that did not run keep what they had. */
function replaced(page: string, name: string, text: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [start, end] = [page.indexOf(open), page.indexOf(close)]
  if (start < 0 || end < start) throw new Error(`docs/benchmarks.md has no place for ${name}`)
  return `${page.slice(0, start + open.length)}\n${text}\n${page.slice(end)}`
}

function sectionOf({ name, outcome }: Finished, rounds: number): string {
  const rows = rowsOf([{ name, load: '', outcome }]).map(([, ...cells]) => `| ${cells.join(' | ')} |`)
  const notes = outcome.notes.map((note) => `- ${note}`)
  return [
    '| what | target | result (quartiles) | |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    `![${outcome.plot.title}](benchmarks/${name}.svg)`,
    '',
    ...notes,
    `- ${machine()}; ${rounds} rounds`,
  ].join('\n')
}
