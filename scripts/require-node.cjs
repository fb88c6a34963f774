// Preloaded by npm's scripts. Plain JavaScript: an old Node can read this, but none of the project's .ts files.
const WANTED = 24
if (Number.parseInt(process.versions.node, 10) < WANTED) {
  console.error(
    `Sluice needs Node ${WANTED} or newer, and this is Node ${process.versions.node}: on Linux run \`npm ci\` ` +
      '(with optional dependencies, which bring it) and start by `npm start` or `npm test`; elsewhere install it.',
  )
  process.exit(1)
}
