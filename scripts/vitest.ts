/** Runs vitest as a child process and reads what its JSON report says of every test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

const VITEST = 'node_modules/vitest/vitest.mjs'

export interface Outcome {
  /** vitest's own exit code; it is not 0 for an error outside of any test either. `null`: ended by a signal. */
  readonly code: number | null
  readonly passed: number
  readonly failed: number
  /** `file > suite > test` of each test that was skipped or is still to be written. */
  readonly skipped: readonly string[]
  /** Files that failed as a whole: they did not load, or a hook around their tests failed. */
  readonly broken: readonly string[]
  /** What vitest printed, when it was not shown. */
  readonly output: string
}

/** The part of vitest's JSON report (Jest's format) that is used here. */
interface Report {
  testResults: {
    name: string
    status: 'passed' | 'failed'
    assertionResults: { status: string; ancestorTitles: string[]; title: string }[]
  }[]
}

function readReport(report: Report, root: string): Omit<Outcome, 'code' | 'output'> {
  const tests = report.testResults.flatMap((file) =>
    file.assertionResults.map((test) => ({
      ...test,
      name: [relative(root, file.name), ...test.ancestorTitles, test.title],
    })),
  )
  const count = (status: string) => tests.filter((test) => test.status === status).length
  return {
    passed: count('passed'),
    failed: count('failed'),
    skipped: tests.filter((test) => !['passed', 'failed'].includes(test.status)).map((test) => test.name.join(' > ')),
    broken: report.testResults
      .filter((file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'))
      .map((file) => relative(root, file.name)),
  }
}

export interface Options {
  readonly root?: string
  readonly env?: Readonly<Record<string, string>>
  /** Show vitest's output as it comes, or keep it for `output`. */
  readonly show?: boolean
  /** Milliseconds after which the run is ended by force. */
  readonly limit?: number
}

export async function runVitest(args: readonly string[], options: Options = {}): Promise<Outcome> {
  const { root = process.cwd(), env = {}, show = false, limit } = options
  const folder = mkdtempSync(join(tmpdir(), 'vitest-report-'))
  const report = join(folder, 'report.json')
  try {
    const output = show ? 'inherit' : 'pipe'
    const vitest = spawn(
      process.execPath,
      [VITEST, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args],
      // A group of its own where there is a limit, so that a worker in an endless loop ends with it.
      { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', output, output], detached: limit !== undefined },
    )
    const text: string[] = []
    for (const stream of [vitest.stdout, vitest.stderr])
      stream?.setEncoding('utf8').on('data', (chunk) => text.push(chunk))
    using _limit = limit === undefined ? undefined : killGroupAfter(vitest, limit)
    const code = await new Promise<number | null>((resolve, reject) => vitest.on('error', reject).on('close', resolve))
    return { code, output: text.join(''), ...readReport(parse(report), root) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A run that found no test, or ended before its time, wrote no report: that is a run of no tests. */
function parse(report: string): Report {
  try {
    return JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return { testResults: [] }
  }
}

/** Ends the child's whole group at the limit, and when this process exits before. */
function killGroupAfter(child: ChildProcess, limit: number): Disposable {
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL')
  }
  const timer = setTimeout(kill, limit)
  process.once('exit', kill)
  return {
    [Symbol.dispose]() {
      clearTimeout(timer)
      process.off('exit', kill)
    },
  }
}
