import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folderOf, GATEWAY, sluice } from './sluice.ts'

test('--help names every command, and --version is that of the package', async () => {
  const { code, out } = await sluice(['--help'])
  expect(code).toBe(0)
  for (const name of ['start', 'check', 'schema', 'init', 'produce'])
    expect(out).toMatch(new RegExp(`^  ${name} `, 'm'))
  const version = await sluice(['--version'])
  expect(version.out.trim()).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version)
})

test.each([
  [['strat'], 'Did you mean start?'],
  [['start', '--prot', '1'], "unknown option '--prot'"],
  [['produce'], "missing required argument 'topic'"],
  [['produce', 'orders', '--brokers', 'a:1', '--url', 'http://b'], '--brokers and --url exclude each other'],
])('wrong usage ends with 2 and a sentence: %j', async (args, sentence) => {
  const { code, err, out } = await sluice(args)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain(sentence)
})

test.each<[what: string, source: string | undefined, sentence: string]>([
  ['no module', undefined, 'There is no gateway.ts here'],
  ['an enum', 'enum A { B }\nexport default A', "Node only leaves TypeScript's types out"],
  ['a syntax error', 'const a = ;', 'gateway.ts:1'],
  [
    'a package that is not installed',
    `import x from 'not-there'\nexport default x`,
    '`npm install not-there` installs it',
  ],
  ['a module that throws', `throw new Error('on purpose')`, 'on purpose'],
  ['a module that throws no error', 'throw 7', 'It throws 7'],
  ['no default export', 'export const a = 1', 'has no default export'],
  ['a schema', `export { schema as default } from 'SRC/resolvers/schema.ts'`, 'exports a schema'],
  ['a builder', `export { builder as default } from 'SRC/schema/types/builder.ts'`, 'exports a builder'],
  ['a promise', 'export default Promise.resolve(1)', 'exports a promise'],
  ['something else', 'export default { topics: 1 }', 'exports something else'],
  ['null', 'export default null', 'exports something else'],
])('a module that cannot be served ends with 1 and a sentence: %s', async (_, source, sentence) => {
  const cwd = folderOf(source === undefined ? {} : { 'gateway.ts': source })
  const { code, err, out } = await sluice(['schema'], { cwd })
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(err).toContain(sentence)
  expect(err.trim().split('\n')).toHaveLength(1)
})

test('schema prints the schema, writes it, and says where a file differs from it', async () => {
  const cwd = folderOf({ 'gateway.ts': GATEWAY })
  const printed = await sluice(['schema'], { cwd })
  expect(printed.out).toBe(readFileSync('schema.graphql', 'utf8'))
  expect(await sluice(['schema', '--output', 's.graphql'], { cwd })).toMatchObject({ code: 0, out: '' })
  expect(await sluice(['schema', '--check', 's.graphql'], { cwd })).toMatchObject({ code: 0, out: '', err: '' })
  const other = folderOf({ 'gateway.ts': GATEWAY, 's.graphql': printed.out.replace('scalar Cursor', 'scalar Curser') })
  const checked = await sluice(['schema', '--check', 's.graphql'], { cwd: other })
  expect(checked.code).toBe(1)
  expect(checked.err).toContain('scalar Curser')
  expect((await sluice(['schema', '--check', join('none', 's')], { cwd })).err).toContain('cannot be read')
})

test('check without Kafka says what would be served, and each problem of the configuration', async () => {
  const cwd = folderOf({ 'gateway.ts': GATEWAY })
  const good = await sluice(['check'], { cwd })
  expect(good).toMatchObject({ code: 0, err: '' })
  expect(good.out).toContain(
    'topic "orders": served as orders, ordersByMerchant, ordersByRegion; JSON; looked up by region',
  )
  const json = await sluice(['check', '--json', '--connect'], { cwd })
  expect(JSON.parse(json.out)).toMatchObject({ ok: true })
  const env = { PORT: 'x', WINDOW_BYTES: '1' }
  const bad = await sluice(['check'], { cwd, env })
  expect(bad).toMatchObject({ code: 1, err: '' })
  expect(bad.out).toMatch(/^PROBLEM {2}configuration: PORT wants .*\nPROBLEM {2}configuration: WINDOW_BYTES wants .*\n/)
  expect(bad.out).toContain('topic "orders": served as')
})

test('check --json is JSON, whatever is wrong', async () => {
  const cwd = folderOf({ 'gateway.ts': 'const a = ;' })
  const { code, out, err } = await sluice(['check', '--json', '--connect'], { cwd, env: { PORT: 'x' } })
  expect({ code, err }).toEqual({ code: 1, err: '' })
  const { ok, findings } = JSON.parse(out) as { ok: boolean; findings: { kind: string; subject: string }[] }
  expect(ok).toBe(false)
  expect(findings.map(({ subject }) => subject)).toEqual(['configuration', 'module'])
})
