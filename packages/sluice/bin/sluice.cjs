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
void import('../dist/cli/main.js').then(({ main }) => main(process.argv.slice(2)))
