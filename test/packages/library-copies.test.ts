/** What a second copy of a package that the library shares with its consumer does, and is said to do. */
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { GATEWAY } from './consumer.ts'
import { outputOf } from './packed-client.ts'
import { packLibrary, projectOf, ROOT } from './packed-library.ts'

let archive: string
beforeAll(async () => {
  archive = await packLibrary()
})

/** Runs `sluice schema` in a project whose library has a copy of its own of one package. */
async function schemaWithSecond(name: string) {
  const folder = await projectOf(archive, { 'gateway.ts': GATEWAY })
  const place = join(folder, 'node_modules/sluice/node_modules', name)
  cpSync(join(ROOT, 'node_modules', name), place, { recursive: true, dereference: true })
  const { code, text } = await outputOf(folder, process.execPath, 'node_modules/sluice/bin/sluice.cjs', 'schema')
  rmSync(place, { recursive: true })
  return { code, text }
}

test.each([
  ['graphql', 'The schema is not of the copy of graphql that Sluice has: `npm ls graphql` shows where there are two'],
  [
    '@pothos/core',
    'Sluice and a plugin of Pothos have different copies of @pothos/core: `npm ls @pothos/core` shows where there are two',
  ],
])('a second copy of %s ends the start with a sentence', async (name, sentence) => {
  const { code, text } = await schemaWithSecond(name)
  expect(code).toBe(1)
  expect(text).toContain(sentence)
})

test('a second copy of zod is none of the gateway’s concern: it asks a schema by its own methods', async () => {
  const { code, text } = await schemaWithSecond('zod')
  expect(code, text).toBe(0)
  expect(text).toContain('payments(')
})
