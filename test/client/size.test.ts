import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { bundle, manifest } from './bundle.ts'

/** What a page has to load for it. */
const MAX_BYTES = 4 * 1024

/** Entries for a client that they do not bring: test/client/adapters/size.test.ts. */
const ADAPTERS = ['./urql', './apollo', './relay', './react']
const entries = Object.entries(manifest.exports).filter(([name]) => !ADAPTERS.includes(name))

test.each(entries)('%s is less than 4 KB, minified and gzipped', async (name, path) => {
  const code = await bundle(path, 'es')
  const bytes = gzipSync(code, { level: 9 }).length
  console.log(`${name}: ${code.length} bytes, ${bytes} gzipped`)
  expect(code).toContain('last-event-id')
  expect(bytes).toBeLessThan(MAX_BYTES)
})

test('it depends on nothing', () => {
  expect(manifest.dependencies).toBeUndefined()
})
