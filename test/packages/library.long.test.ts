/** The library as somebody installs it: by npm, from the registry of packages, with its peers. */
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { GATEWAY, NODE_TEST, VITEST_TEST } from './consumer.ts'
import { outputOf, packClient, writeFiles } from './packed-client.ts'
import { packLibrary, ROOT } from './packed-library.ts'

const QUIET = ['--no-audit', '--no-fund', '--prefer-offline']

/** An empty project in the cache folder. */
function emptyProject(name: string): string {
  const folder = join(process.env.SLUICE_CACHE || join(ROOT, '.cache'), 'library-projects', name)
  if (existsSync(folder)) rmSync(folder, { recursive: true })
  mkdirSync(folder, { recursive: true })
  writeFiles(folder, { 'package.json': { name, private: true, type: 'module' } })
  return folder
}

test('installed from its archive beside the client, it runs, is tested by both runners, and is there once', async () => {
  const [library, client] = [await packLibrary(), await packClient()]
  const folder = emptyProject('app')
  const start = performance.now()
  const installed = await outputOf(
    folder,
    'npm',
    'install',
    ...QUIET,
    library,
    client,
    'vitest@5.1.1',
    '@types/node@24',
  )
  expect(installed.code, installed.text).toBe(0)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`The archive has ${Math.round(statSync(library).size / 1024)} KiB; npm installed it in ${seconds} s`)
  writeFiles(folder, { 'gateway.ts': GATEWAY, 'a.test.ts': NODE_TEST, 'b.spec.ts': VITEST_TEST })

  const listed = await outputOf(folder, 'npm', 'ls', '--all', '--json')
  expect(listed.code, listed.text).toBe(0)
  for (const name of ['graphql', 'zod', '@pothos/core']) {
    const found = await outputOf(folder, 'find', '.', '-path', `*/node_modules/${name}/package.json`)
    expect(found.text.trim().split('\n')).toHaveLength(1)
  }
  const schema = await outputOf(folder, 'npx', 'sluice', 'schema')
  expect(schema, schema.text).toMatchObject({ code: 0, text: expect.stringContaining('type Payment {') })
  const own = await outputOf(folder, process.execPath, '--test', 'a.test.ts')
  expect(own.code, own.text).toBe(0)
  const vitest = await outputOf(folder, 'npx', 'vitest', 'run', 'b.spec.ts')
  expect(vitest.code, vitest.text).toBe(0)
})

test('on an old Node, npm brings the one that the command asks for', async () => {
  const folder = emptyProject('old-node')
  const platform = `node-linux-${process.arch}`
  const archive = await packLibrary()
  const installed = await outputOf(folder, 'npm', 'install', ...QUIET, archive, `${platform}@20`)
  expect(installed.code, installed.text).toBe(0)
  writeFiles(folder, { 'gateway.ts': GATEWAY })
  const refused = await outputOf(folder, 'npx', 'sluice', 'schema')
  expect(refused.code).toBe(1)
  const advised = /npm install (node-\S+@24)/.exec(refused.text)?.[1]
  expect(advised, refused.text).toBe(`${platform}@24`)
  expect((await outputOf(folder, 'npm', 'install', ...QUIET, advised!)).code).toBe(0)
  const { code, text } = await outputOf(folder, 'npx', 'sluice', 'schema')
  expect(code, text).toBe(0)
})
