/** `npm run check`: everything that can be known without running the product. Two parts at a time, a line for each. */
import { execFile } from 'node:child_process'

// Biome colours what goes into a pipe, too.
const COLORS = process.stdout.isTTY ? 'force' : 'off'

/** What is checked, and by what. Programs are those of `node_modules/.bin`, which npm puts first on the PATH. */
const PARTS: [title: string, program: string, ...args: string[]][] = [
  ['format and lint', 'biome', 'ci', '--error-on-warnings', `--colors=${COLORS}`, '.'],
  ['types', 'tsc', '--noEmit'],
  ["GraphiQL's types", 'tsc', '--noEmit', '--project', 'packages/graphiql'],
  ["the browser examples' types", 'tsc', '--noEmit', '--project', 'examples'],
  ["the page's types", 'tsc', '--noEmit', '-p', 'web'],
  ['unused files, exports and dependencies', 'knip'],
  ['direction of imports', process.execPath, 'scripts/check-imports.ts'],
  ['schema.graphql is what the code says', process.execPath, 'scripts/print-schema.ts', '--check'],
  ['clients of schema.released.graphql go on', process.execPath, 'scripts/check-released.ts'],
  ["the examples' types are the schema's", process.execPath, 'scripts/check-codegen.ts'],
  ["the Relay example's artefacts are the schema's", process.execPath, 'scripts/check-relay.ts'],
]
const AT_ONCE = 2

let failed = 0
const notices: string[] = []
const waiting = PARTS.values()

async function work(): Promise<void> {
  for (const [title, program, ...args] of waiting) {
    const start = performance.now()
    const output = await new Promise<string | null>((resolve) => {
      execFile(program, args, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
        resolve(error ? stdout + stderr || error.message : null)
        // What passes, and is worth knowing.
        if (!error) notices.push(...stdout.split('\n').filter((line) => /^(Dangerous|Removed): /.test(line)))
      })
    })
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    console.log(`${output === null ? 'ok    ' : 'FAILED'}  ${title} (${seconds} s)`)
    if (output === null) continue
    failed++
    console.log(output)
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, work))
for (const notice of notices) console.log(notice)
console.log(failed === 0 ? `${PARTS.length} checks passed` : `${failed} of ${PARTS.length} checks failed`)
process.exitCode = failed === 0 ? 0 : 1
