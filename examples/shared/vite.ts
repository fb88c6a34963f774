import { fileURLToPath } from 'node:url'

/** The client package is taken from its sources; in a project of yours it is installed, and this is not needed. */
export const alias = [
  { find: /^@sluice\/client$/, replacement: source('index') },
  { find: /^@sluice\/client\/(.+)$/, replacement: source('$1') },
]

function source(entry: string): string {
  return fileURLToPath(new URL(`../../packages/client/src/${entry}.ts`, import.meta.url))
}

/** The examples share files, and have those of the package. */
export const server = { fs: { allow: [fileURLToPath(new URL('../..', import.meta.url))] } }
