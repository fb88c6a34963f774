import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig, VARIABLES } from '../../src/config.ts'
import { PLACES, textAtItsPlace } from '../examples/add-a-topic-places.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { blocksOf, filesOf } from './blocks.ts'

const read = (file: string) => readFileSync(file, 'utf8')
const DOCUMENTS = ['README.md', 'CHANGELOG.md', ...globSync('docs/**/*.md')]

/** Pages that have moved: links from elsewhere still lead there. */
const KEPT_FOR_LINKS = ['docs/concepts.md']

/** Defaults that depend on the machine. */
const NO_FIXED_DEFAULT: Record<string, string> = {
  INSTANCE_ID: 'made up',
  MAX_CONNECTIONS: 'derived',
  MAX_CONNECTIONS_PER_ADDRESS: 'derived',
}

/** The rows of all tables of a document, each a list of its cells. */
function rowsOf(file: string): string[][] {
  const lines = read(file)
    .split('\n')
    .filter((line) => line.startsWith('| '))
  return lines.map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
}

test("the README's table has every environment variable, with its default", () => {
  const table = new Map<string, string | undefined>()
  for (const [, names = '', , defaults = ''] of rowsOf('README.md')) {
    const values = defaults.split(/, /)
    for (const [i, name] of [...names.matchAll(/`([A-Z_]+)`/g)].entries()) table.set(name[1] ?? '', values[i])
  }
  const config: Record<string, unknown> = readConfig({})
  const defaults = VARIABLES.map((name) => {
    if (name in NO_FIXED_DEFAULT) return [name, NO_FIXED_DEFAULT[name]]
    return [name, config[name] === undefined ? 'none' : `\`${config[name]}\``]
  })
  expect(Object.fromEntries(table)).toEqual(Object.fromEntries(defaults))
})

test('docs/operations.md has every metric, with its labels', async () => {
  const gateway = await startTestGateway()
  const page = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  const metrics = [...page.matchAll(/^# TYPE (sluice_\w+)/gm)].map(([, name]) => name as string)
  const table = new Map(rowsOf('docs/operations.md').map(([, name = '', labels = '']) => [name.slice(1, -1), labels]))
  expect([...table.keys()].filter((name) => name.startsWith('sluice_')).sort()).toEqual(metrics.sort())
  for (const metric of metrics) {
    const [sample] = page.match(new RegExp(`^${metric}(?:_sum)?\\{.*\\}`, 'm')) ?? []
    if (!sample) continue // nothing counted yet: its labels are not to be seen
    const labels = [...sample.matchAll(/(\w+)="/g)].map(([, label]) => `\`${label}\``)
    expect(`${metric} ${table.get(metric)}`).toBe(
      `${metric} ${labels.filter((label) => label !== '`exported_instance`').join(', ')}`,
    )
  }
})

test('every function that docs/architecture.md names is in the file that it names', () => {
  const steps = rowsOf('docs/architecture.md').filter(([, number]) => /^\d+$/.test(number ?? ''))
  expect(steps.length).toBeGreaterThan(12)
  for (const [, , , file = '', name = ''] of steps) {
    const found = new RegExp(`\\b${name.slice(1, -1)}[(<]`).test(read(file.slice(1, -1)))
    expect(found, `${name} in ${file}`).toBe(true)
  }
})

test.each(DOCUMENTS)('the files that %s names, and those it links to, exist', (document) => {
  const markdown = read(document)
  const paths = [...markdown.matchAll(/`((?:src|test|scripts|deploy|examples)\/[\w./-]+)`/g)].map(([, path]) => path!)
  // Of files that the document shows, too: of a project that its reader makes.
  const notYet: string[] = [...Object.values(PLACES), ...filesOf(markdown).keys()]
  for (const path of paths) expect(notYet.includes(path) || existsSync(path), path).toBe(true)
  const links = [...markdown.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link!)
    .filter((link) => !/^\w+:/.test(link))
  for (const link of links) {
    const [path, anchor] = link.split('#') as [string, string?]
    const target = path === '' ? document : join(dirname(document), path)
    expect(existsSync(target), `${document} links to ${link}`).toBe(true)
    if (anchor !== undefined) expect(anchorsOf(target), `${document} links to ${link}`).toContain(anchor)
  }
})

/** Anchors of headings, as GitHub makes them: of those that read the same, the second ends in `-1`. */
function anchorsOf(file: string): string[] {
  const text = read(file).replaceAll(/^```.*?^```/gms, '')
  const seen = new Map<string, number>()
  return Array.from(text.matchAll(/^#+ (.+)$/gm), ([, heading = '']) => {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-')
    const times = seen.get(anchor) ?? 0
    seen.set(anchor, times + 1)
    return times === 0 ? anchor : `${anchor}-${times}`
  })
}

test('every page is found from docs/README.md or the README', () => {
  const reached = new Set<string>()
  const walk = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    for (const [, link = ''] of read(file).matchAll(/\]\(([^)\s#]+\.md)/g)) {
      const target = join(dirname(file), link)
      if (!/^\w+:/.test(link) && existsSync(target)) walk(target)
    }
  }
  walk('README.md')
  expect(globSync('docs/**/*.md').filter((file) => !reached.has(file) && !KEPT_FOR_LINKS.includes(file))).toEqual([])
})

test('docs/add-a-topic.md shows the files of examples/add-a-topic as they are', () => {
  const shown = blocksOf('docs/add-a-topic.md', 'ts').map(({ text }) => text)
  for (const [file, place] of Object.entries(PLACES)) {
    expect(shown).toContain(`// ${place}\n${textAtItsPlace(file as keyof typeof PLACES)}`)
  }
})

test('docs/topic-options.md shows the files of examples/topic-options as they are', () => {
  const shown = blocksOf('docs/topic-options.md', 'ts').map(({ text }) => text)
  const files = globSync('examples/topic-options/*.ts')
  expect(files).toHaveLength(2)
  for (const file of files) expect(shown).toContain(`// ${file}\n${read(file)}`)
})

test('docs/add-a-topic.md counts the lines of the example right', () => {
  const lines = Object.keys(PLACES)
    .flatMap((file) => read(join('examples/add-a-topic', file)).split('\n'))
    .filter((line) => line !== '' && !line.startsWith('import '))
  const text = read('docs/add-a-topic.md').replaceAll(/\s+/g, ' ')
  const said = /Without imports and empty lines they are (\d+) lines; with the one below, (\d+)/.exec(text)
  expect(said?.slice(1).map(Number)).toEqual([lines.length, lines.length + 1])
})
