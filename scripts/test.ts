/**
 * `npm test`: vitest, then its totals alone on the last line. It installs nothing: what needs a part that is missing
 * is skipped, by name; with `CI` set, a skip is a failure. Pages are built if they are older than their sources. `npm test -- name` passes its arguments on to vitest.
 */
import { buildAll } from './build.ts'
import { type Outcome, runVitest } from './vitest.ts'

/** What is said after a run, its last line the totals, and the exit code. */
export function verdict(outcome: Outcome, { ci, chosen }: { ci: boolean; chosen: boolean }) {
  const { passed, skipped, broken } = outcome
  // A file that did not load ran none of its tests: it counts as one that failed, so that the totals never look good.
  const failed = outcome.failed + broken.length
  const lines: string[] = []
  let code = outcome.code ?? 1

  for (const file of broken) lines.push(`Did not run: ${file}`)
  // Tests left out by the caller's own `-t` are no news.
  if (!chosen && skipped.length > 0) {
    lines.push(ci ? 'Skipped, which fails a run with CI set:' : 'Skipped:', ...skipped.map((name) => `  ${name}`))
    if (ci) code ||= 1
  }
  if (passed + failed === 0) {
    lines.push('No test ran')
    code ||= 1
  }
  if (failed > 0) code ||= 1
  lines.push(`${passed} passed, ${failed} failed, ${skipped.length} skipped`)
  return { lines, code }
}

if (import.meta.main) {
  const args = process.argv.slice(2)
  const long = args.includes('--long')
  const rest = args.filter((arg) => arg !== '--long')
  await buildAll({ stale: true })
  const outcome = await runVitest(rest, { show: true, env: long ? { SLUICE_LONG: '1' } : {} })
  const { lines, code } = verdict(outcome, {
    ci: Boolean(process.env.CI),
    chosen: rest.some((arg) => arg.startsWith('-t') || arg.startsWith('--testNamePattern')),
  })
  console.log(lines.join('\n'))
  process.exitCode = code
}
