/**
 * `npm run mutants`: proves that the tests of the promises can fail. Each `mutants/<promise>-<slug>.patch` breaks the
 * product in one way and names the tests that must notice; docs/testing.md gives the format. The patches are applied to
 * a copy of the working tree, never to the tree itself. `npm run mutants -- name` runs those whose name contains it.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { kafkaMissing, startBroker } from '../deploy/kafka/broker.ts'
import { type Outcome, runVitest } from './vitest.ts'

export const PROMISES: Readonly<Record<number, string>> = {
  1: 'complete and in order',
  2: 'a gap is never silent',
  3: 'alone in your slowness',
  4: 'ask once, pay once',
  5: 'one gate',
  6: 'typed end to end',
  7: 'leaving is graceful',
}

/** A mutant may stop what a test waits for: longer than any one test may take, which then fails by itself. */
const LIMIT_MS = 600_000

export interface Mutant {
  readonly name: string
  readonly promise: number
  readonly breaks: string
  /** What vitest gets: paths, and after `-t` a part of a test's name. */
  readonly test: readonly string[]
}

export type Result = 'killed' | 'survived' | 'does not apply' | 'tests failed unbroken' | 'broke the run' | 'unreadable'

/** @throws Error saying what is wrong with the header, or with the file's name. */
export function readMutant(name: string, patch: string): Mutant {
  const header = patch.split(/^(?:diff |--- )/m)[0] ?? ''
  const field = (key: string) => {
    const value = header.match(new RegExp(`^${key}: *(.+)$`, 'm'))?.[1]?.trim()
    if (!value) throw new Error(`no line "${key}: ..." before the diff`)
    return value
  }
  const promise = Number(field('promise'))
  if (!(promise in PROMISES)) throw new Error(`promise: ${field('promise')} is none of 1 to 7`)
  if (!name.startsWith(`${promise}-`)) throw new Error(`its name should begin with ${promise}-, its promise`)

  const [paths = '', testName] = field('test').split(/ +-t +/)
  const quoted = testName?.match(/^(["'])(.*)\1$/)?.[2] ?? testName
  return {
    name,
    promise,
    breaks: field('breaks'),
    test: [...paths.split(',').map((path) => path.trim()), ...(quoted === undefined ? [] : ['-t', quoted])],
  }
}

/** A mutant is killed when a test said so: one that did not load, or a run that found no test, proves nothing. */
export function judge({ failed, passed, broken }: Outcome): Result {
  if (broken.length > 0 || passed + failed === 0) return 'broke the run'
  return failed > 0 ? 'killed' : 'survived'
}

/** A copy of what git tracks or would track, with this tree's dependencies. Removed again on disposal. */
function copyTree(root: string) {
  const copy = mkdtempSync(join(tmpdir(), 'mutants-'))
  const list = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  for (const file of list.split('\0').filter((path) => path && existsSync(join(root, path)))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true })
    cpSync(join(root, file), join(copy, file), { verbatimSymlinks: true })
  }
  for (const shared of ['node_modules', '.cache', 'web/dist', 'packages/graphiql/dist', 'packages/client/dist']) {
    if (existsSync(join(root, shared))) symlinkSync(join(root, shared), join(copy, shared))
  }
  // `git apply` inside of somebody else's repository silently leaves out paths; in its own it does not.
  execFileSync('git', ['init', '-q'], { cwd: copy })
  const remove = () => rmSync(copy, { recursive: true, force: true })
  process.once('exit', remove)
  return { path: copy, [Symbol.dispose]: remove }
}

export interface Row {
  readonly name: string
  readonly promise: number | undefined
  readonly result: Result
  readonly seconds: number
  /** What vitest or git said, where the result is not the one wanted. */
  readonly detail: string
}

function patches(root: string, filter: string): string[] {
  const all = globSync('mutants/*.patch', { cwd: root })
  return all.filter((file) => basename(file).includes(filter)).sort()
}

/** Runs every mutant of `root/mutants` whose name contains `filter`, one after the other; `env` is for their tests. */
export async function runMutants(
  root: string,
  filter: string,
  say: (line: string) => void,
  env: Readonly<Record<string, string>> = {},
): Promise<Row[]> {
  const files = patches(root, filter)
  if (files.length === 0) return []
  using copy = copyTree(root)
  const runTests = (mutant: Mutant) => runVitest(mutant.test, { root: copy.path, limit: LIMIT_MS, env })
  const unbroken = new Map<string, Outcome>()

  const runOne = async (file: string): Promise<Omit<Row, 'name' | 'seconds'>> => {
    const patch = resolve(root, file)
    const git = (...args: string[]) => spawnSync('git', ['apply', ...args, patch], { cwd: copy.path, encoding: 'utf8' })
    let mutant: Mutant
    try {
      mutant = readMutant(basename(file, '.patch'), readFileSync(patch, 'utf8'))
    } catch (error) {
      return { promise: undefined, result: 'unreadable', detail: String(error) }
    }
    const { promise } = mutant
    const command = mutant.test.join(' ')
    const before = unbroken.get(command) ?? (await runTests(mutant))
    unbroken.set(command, before)
    if (before.code !== 0 || before.passed === 0)
      return { promise, result: 'tests failed unbroken', detail: before.output }

    const applied = git()
    if (applied.status !== 0) return { promise, result: 'does not apply', detail: applied.stderr }
    try {
      const after = await runTests(mutant)
      const result = judge(after)
      return { promise, result, detail: result === 'killed' ? '' : after.output }
    } finally {
      git('--reverse')
    }
  }

  const rows: Row[] = []
  for (const file of files) {
    const start = performance.now()
    const row = { name: basename(file, '.patch'), ...(await runOne(file)), seconds: (performance.now() - start) / 1000 }
    rows.push(row)
    say(
      `${row.name.padEnd(44)} ${row.promise ?? '?'}  ${row.result.padEnd(22)} ${row.seconds.toFixed(1).padStart(6)} s`,
    )
    if (row.detail) say(row.detail.replaceAll(/^/gm, '    '))
  }
  return rows
}

const NO_BROKER = { env: {}, stop: async () => {} }

/** One broker for all mutants, where one can be had: else every run would start its own. */
async function sharedKafka(): Promise<typeof NO_BROKER> {
  if (process.env.KAFKA_BROKERS || (await kafkaMissing()) !== null) return NO_BROKER
  const broker = await startBroker()
  return { env: { KAFKA_BROKERS: broker.brokers }, stop: () => broker.stop() }
}

if (import.meta.main) {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  const filter = process.argv[2] ?? ''
  console.log(`${'mutant'.padEnd(44)} promise, result, seconds`)
  const kafka = patches('.', filter).length > 0 ? await sharedKafka() : NO_BROKER
  const rows = await runMutants(process.cwd(), filter, console.log, kafka.env)
  await kafka.stop()
  const kept = rows.filter((row) => row.result === 'killed')

  console.log('')
  for (const [promise, title] of Object.entries(PROMISES)) {
    const count = rows.filter((row) => row.promise === Number(promise)).length
    console.log(`promise ${promise}, ${title}: ${count || 'no'} mutant${count === 1 ? '' : 's'}`)
  }
  console.log(`${kept.length} of ${rows.length} mutants killed`)
  if (rows.length === 0 && filter) console.error(`No mutant's name contains "${filter}"`)
  process.exitCode = kept.length === rows.length && (rows.length > 0 || !filter) ? 0 : 1
}
