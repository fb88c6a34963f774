import { readFileSync } from 'node:fs'

/** Of this package: its manifest is one folder above the sources, and above what is built of them. */
export const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { readonly version: string }
).version
