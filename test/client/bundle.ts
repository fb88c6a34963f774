import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { manifest } from '../packages/packed-client.ts'

const source = (path: string) => fileURLToPath(new URL(`../../packages/client/src/${path}`, import.meta.url))
const ENTRY = 'entry-of-the-test'

/** A source file of the client package for browsers, as a script with all it needs: a global `client` has its exports. */
export function bundle(path: string): Promise<string> {
  return built({ lib: { entry: source(path), formats: ['iife'], name: 'client' } })
}

/** What a page has to load for these names of a source file, minified, without the package's peers. */
export function bundleOf(names: string, path: string): Promise<string> {
  const code = `export ${names} from ${JSON.stringify(source(path))}`
  const external = Object.keys(manifest.peerDependencies).map((name) => new RegExp(`^${name}($|/)`))
  return built({ rolldownOptions: { input: ENTRY, preserveEntrySignatures: 'strict', external } }, code)
}

async function built(how: object, code = ''): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    plugins: [
      {
        name: ENTRY,
        resolveId: (id) => (id === ENTRY ? `\0${ENTRY}` : undefined),
        load: (id) => (id === `\0${ENTRY}` ? code : undefined),
      },
    ],
    build: { write: false, minify: true, modulePreload: false, ...how },
  })
  const output = [result].flat().flatMap((one) => ('output' in one ? one.output : []))
  return output.map((one) => ('code' in one ? one.code : '')).join('')
}
