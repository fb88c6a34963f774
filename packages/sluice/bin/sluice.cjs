#!/usr/bin/env node
// The command `sluice`. Any Node since 14 can read this file, but not what it imports: it says so in a sentence.
const WANTED = 24
const { node: version } = process.versions
if (Number.parseInt(version, 10) < WANTED) {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  console.error(
    `Sluice needs Node ${WANTED} or newer; this is ${version}. Install Node ${WANTED}, or let npm bring one into this ` +
      `project: \`npm install node-${platform}-${process.arch}@${WANTED}\`; npx and npm's scripts then run it.`,
  )
  process.exit(1)
}

/** The project's own copy goes first, wherever this one is installed: it is the one that gateway.ts imports. */
function commandUrl() {
  const { existsSync } = require('node:fs')
  const { createRequire } = require('node:module')
  const { dirname, join } = require('node:path')
  const { pathToFileURL } = require('node:url')
  try {
    const own = createRequire(join(process.cwd(), 'gateway.ts')).resolve('sluice/package.json')
    const main = join(dirname(own), 'dist/cli/main.js')
    if (existsSync(main)) return pathToFileURL(main).href
  } catch {
    // The project has none: `sluice init` needs none.
  }
  return '../dist/cli/main.js'
}
void import(commandUrl()).then(({ main }) => main(process.argv.slice(2)))
