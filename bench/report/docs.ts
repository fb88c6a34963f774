/** Writes the results into the pages of docs/benchmarks, between their markers, and a plot a scenario beside them. */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machine } from './machine.ts'
import { plot } from './plot.ts'
import { type Finished, rowsOf } from './table.ts'

const PAGES = join(import.meta.dirname, '..', '..', 'docs', 'benchmarks')

export function writeDocs(finished: readonly Finished[], rounds: number): void {
  const caption = `${machine()}, ${rounds} rounds: median, quartiles, and each round`
  for (const { name, outcome } of finished) {
    writeFileSync(join(PAGES, `${name}.svg`), plot(outcome.plot, caption))
  }
  for (const each of finished) {
    const file = pageOf(each.name)
    writeFileSync(file, replaced(readFileSync(file, 'utf8'), each.name, sectionOf(each, rounds)))
  }
}

function pageOf(name: string): string {
  const page = globSync(join(PAGES, '*.md')).find((file) => readFileSync(file, 'utf8').includes(`<!-- ${name} -->`))
  if (page === undefined) throw new Error(`docs/benchmarks has no place for ${name}`)
  return page
}

/** What stands between `<!-- NAME -->` and `<!-- /NAME -->`; scenarios that did not run keep what they had. */
function replaced(page: string, name: string, text: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [start, end] = [page.indexOf(open), page.indexOf(close)]
  if (end < start) throw new Error(`The place of ${name} in docs/benchmarks has no end`)
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
    `![${outcome.plot.title}](${name}.svg)`,
    '',
    ...notes,
    `- ${machine()}; ${rounds} rounds`,
  ].join('\n')
}
