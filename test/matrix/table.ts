import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CELLS } from './cells/all.ts'
import type { MatrixClient } from './client.ts'

export const DOCUMENT = 'docs/clients.md'
/** What is between the two is written by `npm run matrix`. */
const BEGIN = '<!-- Written by `npm run matrix`: -->'
const END = '<!-- : until here -->'

/** A row: what a client did in each cell, by the cell's title. */
export interface Row {
  readonly client: MatrixClient
  readonly phrases: Readonly<Record<string, string>>
}

/** The table, and the versions of the libraries that it was made with. */
export function tableOf(rows: readonly Row[], versions: ReadonlyMap<string, string>): string {
  const lines = [
    ['', ...CELLS.map(({ title }) => title)],
    ['---', ...CELLS.map(() => '---')],
    ...rows.map(({ client, phrases }) => [client.title, ...CELLS.map(({ title }) => phrases[title] ?? '')]),
  ].map((cells) => `| ${cells.join(' | ')} |`)
  const named = [...versions].map(([name, version]) => `${name} ${version}`)
  const columns = CELLS.map(({ title, what }) => `- **${title}**: ${what}`)
  return [...lines, '', ...filled(`Seen with ${named.join(', ')}.`), '', ...columns].join('\n')
}

/** Lines of the width of prose. */
function filled(text: string): string[] {
  return text.match(/.{1,120}(?: |$)/g)?.map((line) => line.trimEnd()) ?? []
}

/** Rows as they are in the document, by the client's title. */
export function rowsIn(table: string): Map<string, string> {
  const rows = table.split('\n').filter((line) => line.startsWith('|'))
  return new Map(rows.map((line) => [line.split(' | ')[0]!.replace(/^\| /, ''), line]))
}

/** What the document says of a client in a cell, by their titles; undefined where it has no such row or column. */
export function saidIn(table: string, client: string, cell: string): string | undefined {
  const cells = (row: string) =>
    rowsIn(table)
      .get(row)
      ?.split(' | ')
      .map((text) => text.replace(/ \|$/, ''))
  const column = cells('')?.indexOf(cell) ?? -1
  return column < 0 ? undefined : cells(client)?.[column]
}

export function readTable(): string {
  const text = readFileSync(DOCUMENT, 'utf8')
  return text.slice(text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)).trim()
}

export function withTable(text: string, table: string): string {
  return `${text.slice(0, text.indexOf(BEGIN) + BEGIN.length)}\n${table}\n${text.slice(text.indexOf(END))}`
}

/** The versions of these clients' packages: what npm has installed, and what Python's requirements name. */
export function versionsOf(clients: readonly MatrixClient[]): Map<string, string> {
  const versions = new Map<string, string>()
  const requirements = readFileSync('test/matrix/python/requirements.txt', 'utf8')
  for (const { packages, runs } of clients) {
    for (const name of packages) {
      if (typeof runs === 'object') versions.set(name, new RegExp(`^${name}==(.+)$`, 'm').exec(requirements)![1]!)
      else versions.set(name, JSON.parse(readFileSync(join('node_modules', name, 'package.json'), 'utf8')).version)
    }
  }
  return new Map([...versions].sort(([a], [b]) => a.localeCompare(b)))
}
