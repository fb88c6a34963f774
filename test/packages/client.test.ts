import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { CutServer } from '../client/cut-server.ts'
import { until } from '../kit/until.ts'
import { entries, manifest, outputOf, packClient, projectWith } from './packed-client.ts'
import { CJS_PROGRAM, ESM_PROGRAM, MISTAKES, TYPED_PROGRAM } from './programs.ts'

let archive: string
beforeAll(async () => {
  archive = await packClient()
})

test('the package has what it says it exports, its README and its license, and no sources', () => {
  const files = execFileSync('tar', ['--list', '--file', archive], { encoding: 'utf8' }).trim().split('\n')
  for (const name of entries) {
    const paths = manifest.exports[name.replace(manifest.name, '.')] as Record<
      string,
      { types: string; default: string }
    >
    for (const kind of ['import', 'require'])
      for (const path of [paths[kind]!.types, paths[kind]!.default]) expect(files).toContain(join('package', path))
  }
  expect(files).toEqual(expect.arrayContaining(['package/README.md', 'package/LICENSE', 'package/package.json']))
  expect(files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))).toEqual([])
})

test('it depends on nothing, and its peers are optional', () => {
  expect(manifest).not.toHaveProperty('dependencies')
  expect(manifest).not.toHaveProperty('private')
  const optional = Object.fromEntries(Object.keys(manifest.peerDependencies).map((name) => [name, { optional: true }]))
  expect(manifest).toHaveProperty('peerDependenciesMeta', optional)
})

test.each([
  ['import', 'program.mjs', ESM_PROGRAM],
  ['require', 'program.cjs', CJS_PROGRAM],
])('a program of Node that has it by %s takes every event over a cut', async (_way, file, program) => {
  const folder = await projectWith(archive, { [file]: program })
  const server = await CutServer.start({ cuts: [200] })
  const ran = outputOf(folder, process.execPath, file, server.url)
  await until('it has subscribed', () => server.ready === 1)
  server.append('', 1, 2, 3, 4, 5)
  server.finish('')
  expect((await ran).text).toBe('n: 1\nn: 2\nn: 3\nn: 4\nn: 5\nfunction\n')
})

test('every entry is imported and required by Node', async () => {
  const files = {
    'all.mjs': entries.map((name) => `console.log(Object.keys(await import('${name}')).length > 0)`).join('\n'),
    'all.cjs': entries.map((name) => `console.log(Object.keys(require('${name}')).length > 0)`).join('\n'),
  }
  const folder = await projectWith(archive, files)
  const wanted = { code: 0, text: 'true\n'.repeat(entries.length) }
  expect(await outputOf(folder, process.execPath, 'all.mjs')).toEqual(wanted)
  expect(await outputOf(folder, process.execPath, 'all.cjs')).toEqual(wanted)
})

const tsc = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc')
const BASE = { strict: true, noEmit: true, exactOptionalPropertyTypes: true }

describe.each([
  ['bundler', { ...BASE, module: 'esnext', moduleResolution: 'bundler', target: 'es2022' }, 'ts'],
  ['nodenext, as a module', { ...BASE, module: 'nodenext' }, 'mts'],
  ['nodenext, as CommonJS', { ...BASE, module: 'nodenext' }, 'cts'],
  ['default settings', { noEmit: true }, 'ts'],
])('TypeScript with %s', (_name, compilerOptions, ending) => {
  test('passes what is right, and finds each mistake', async () => {
    const files: Record<string, string | object> = {
      'package.json': { name: 'app', type: ending === 'cts' ? 'commonjs' : 'module' },
      'tsconfig.json': { compilerOptions: { ...compilerOptions, types: ['node'] }, include: [`*.${ending}`] },
      [`right.${ending}`]: TYPED_PROGRAM,
    }
    for (const [i, mistake] of MISTAKES.entries()) files[`wrong-${i}.${ending}`] = `${TYPED_PROGRAM}\n${mistake}\n`
    const folder = await projectWith(archive, files, ['@types/node'])
    const { text } = await outputOf(folder, process.execPath, tsc, '--project', '.', '--pretty', 'false')
    const errors = Array.from(text.matchAll(/^(\S+?)\.\w+\((\d+),\d+\): error/gm), ([, file, line]) => [
      file,
      Number(line),
    ])
    const place = TYPED_PROGRAM.split('\n').length + 1
    expect(errors).toEqual(MISTAKES.map((_, i) => [`wrong-${i}`, place]))
  })
})
