import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { bundle, manifest } from '../bundle.ts'

/** What a page has to load for each, on top of the client and of the library. React's has three hooks. */
const MAX_BYTES = { './urql': 1.25, './apollo': 1.25, './relay': 1, './react': 2.75 }

test.each(Object.entries(MAX_BYTES))('%s is less than %d KB, minified and gzipped', async (name, max) => {
  const code = await bundle(manifest.exports[name] as string, 'es')
  const bytes = gzipSync(code, { level: 9 }).length
  console.log(`${name}: ${code.length} bytes, ${bytes} gzipped`)
  // It does not bring a client of its own.
  expect(code).not.toContain('text/event-stream')
  expect(bytes).toBeLessThan(max * 1024)
})
