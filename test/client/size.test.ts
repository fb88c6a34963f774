import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { expect, test } from 'vitest'

/** What a page has to load for it. */
const MAX_BYTES = 4 * 1024

const file = (path: string) => fileURLToPath(new URL(`../../client/${path}`, import.meta.url))
const about = JSON.parse(readFileSync(file('package.json'), 'utf8'))

test.each(Object.entries<string>(about.exports))('%s is less than 4 KB, minified and gzipped', async (name, path) => {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: true,
      lib: { entry: file(path), formats: ['es'] },
      rolldownOptions: { external: Object.keys(about.peerDependencies) },
    },
  })
  const output = [built].flat().flatMap((one) => ('output' in one ? one.output : []))
  const code = output.map((one) => ('code' in one ? one.code : '')).join('')
  const bytes = gzipSync(code, { level: 9 }).length
  console.log(`${name}: ${code.length} bytes, ${bytes} gzipped`)
  expect(code).toContain('last-event-id')
  expect(bytes).toBeLessThan(MAX_BYTES)
})

test('it depends on nothing', () => {
  expect(about.dependencies).toBeUndefined()
})
