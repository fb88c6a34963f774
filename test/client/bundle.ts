import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const file = (path: string) => fileURLToPath(new URL(`../../packages/client/${path}`, import.meta.url))

export const manifest: {
  readonly exports: Readonly<Record<string, string>>
  readonly dependencies?: object
  readonly peerDependencies: object
} = JSON.parse(readFileSync(file('package.json'), 'utf8'))

/**
 * A file of the client package for browsers, minified: as a module without its peers, or as a script with all it needs,
 * whose exports are those of a global `client`.
 */
export async function bundle(path: string, kind: 'es' | 'iife'): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: true,
      lib: { entry: file(path), formats: [kind], name: 'client' },
      rolldownOptions: { external: kind === 'es' ? Object.keys(manifest.peerDependencies) : [] },
    },
  })
  const output = [built].flat().flatMap((one) => ('output' in one ? one.output : []))
  return output.map((one) => ('code' in one ? one.code : '')).join('')
}
