import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { bundle, manifest } from './bundle.ts'

/** What a page has to load for it. */
const MAX_BYTES = 4 * 1024

test.each(Object.entries(manifest.exports))('%s is less than 4 KB, minified and gzipped', async (name, path) => {
  const code = await bundle(path, 'es')
  const bytes = gzipSync(code, { level: 9 }).length
  console.log(`${name}: ${code.length} bytes, ${bytes} gzipped`)
  expect(code).toContain('last-event-id')
  expect(bytes).toBeLessThan(MAX_BYTES)
})

test('it depends on nothing', () => {
  expect(manifest.dependencies).toBeUndefined()
})
