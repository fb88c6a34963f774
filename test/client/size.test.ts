import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { entries, manifest } from '../packages/packed-client.ts'
import { bundleOf } from './bundle.ts'

/** What a page has to load for each part, minified and gzipped, with all it needs of this package. */
const MAX_BYTES: readonly (readonly [names: string, file: string, bytes: number])[] = [
  ['{ createResumingFetch }', 'index.ts', 3.5 * 1024],
  ['{ createSluiceClient }', 'index.ts', 7.5 * 1024],
  ['*', 'index.ts', 9 * 1024],
]

async function sizeOf(names: string, file: string): Promise<number> {
  const code = await bundleOf(names, file)
  const bytes = gzipSync(code, { level: 9 }).length
  console.log(`${names} of ${file}: ${code.length} bytes, ${bytes} gzipped`)
  return bytes
}

test.each(MAX_BYTES)('%s of %s has at most %d bytes, minified and gzipped', async (names, file, bytes) => {
  expect(await sizeOf(names, file)).toBeLessThan(bytes)
})

/** An adapter is little beside what it adapts. */
const MAX_ENTRY_BYTES = 10 * 1024

test.each(entries.filter((name) => name !== manifest.name))('%s is small', async (name) => {
  expect(await sizeOf('*', `${name.slice(manifest.name.length + 1)}.ts`)).toBeLessThan(MAX_ENTRY_BYTES)
})

test('who wants the fetch alone does not load the client', async () => {
  const code = await bundleOf('{ createResumingFetch }', 'index.ts')
  expect(code).toContain('last-event-id')
  expect(code).not.toContain('operationId')
})
