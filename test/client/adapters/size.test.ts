import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { expect, test } from 'vitest'

/** KB that a page has to load for each, on top of the client and of the library. React's has three hooks. */
const MAX_KB = { urql: 1.25, apollo: 1.25, relay: 1, react: 2.75 }

test.each(Object.entries(MAX_KB))('the adapter for %s is less than %d KB, minified and gzipped', async (name, max) => {
  const entry = fileURLToPath(new URL(`../../../packages/client/src/${name}.ts`, import.meta.url))
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: true,
      lib: { entry, formats: ['es'] },
      // The libraries, whatever they are.
      rolldownOptions: { external: /^[^./]/ },
    },
  })
  const output = [built].flat().flatMap((one) => ('output' in one ? one.output : []))
  const code = output.map((one) => ('code' in one ? one.code : '')).join('')
  const bytes = gzipSync(code, { level: 9 }).length
  console.log(`${name}: ${code.length} bytes, ${bytes} gzipped`)
  // It does not bring a client of its own.
  expect(code).not.toContain('text/event-stream')
  expect(bytes).toBeLessThan(max * 1024)
})
