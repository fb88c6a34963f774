import { readFileSync } from 'node:fs'

/** From the file of this module up: in the package, and in this repository, it is one or two folders away. */
const MAX_LEVELS = 3

/** The version of this gateway; `unknown` where it was bundled without its package.json. */
export const VERSION = readVersion()

function readVersion(): string {
  for (let level = 0, folder = './'; level < MAX_LEVELS; level++, folder += '../') {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(`${folder}package.json`, import.meta.url), 'utf8'))
      if (name === 'sluice' && typeof version === 'string') return version
    } catch {
      // None here, or none that can be read: the next folder may have one.
    }
  }
  return 'unknown'
}
