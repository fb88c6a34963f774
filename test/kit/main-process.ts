import { type ChildProcess, spawn } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { until } from './until.ts'

/** The gateway's own process, `src/main.ts`, and what it says. */
export interface Run {
  readonly child: ChildProcess
  out: string
  err: string
  /** Undefined while it runs. */
  ended: { readonly code: number | null; readonly signal: string | null } | undefined
}

export interface RunOptions {
  /** Options of Node itself. */
  readonly node?: readonly string[]
  /** `ulimit -n`: open files that it may have. */
  readonly openFiles?: number
}

/** Starts it on free ports; it is killed when the test ends. Of this process's environment it gets PATH only. */
export function main(args: readonly string[] = [], env: Record<string, string> = {}, options: RunOptions = {}): Run {
  const { node = [], openFiles } = options
  const command = [process.execPath, ...node, 'src/main.ts', ...args]
  const limited = ['sh', '-c', `ulimit -n ${openFiles}; exec "$@"`, 'sh', ...command]
  const [program = '', ...rest] = openFiles === undefined ? command : limited
  const child = spawn(program, rest, {
    env: { PATH: process.env.PATH, PORT: '0', ADMIN_PORT: '0', INSTANCE_ID: 'test', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const run: Run = { child, out: '', err: '', ended: undefined }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    run.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    run.err += text
  })
  child.on('close', (code, signal) => {
    run.ended = { code, signal }
  })
  return run
}

export async function ended(run: Run): Promise<Run['ended']> {
  await until('the process ended', () => run.ended !== undefined)
  return run.ended
}

/** What was logged, a JSON object a line. */
export function logged(run: Run): Record<string, unknown>[] {
  return run.out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

export async function listening(run: Run): Promise<{ readonly graphql: string; readonly admin: string }> {
  await until('the gateway listens', () => run.out.includes('Sluice is listening') || run.ended !== undefined)
  const line = logged(run).find(({ msg }) => msg === 'Sluice is listening')
  if (!line) throw new Error(`The process ended before it listened: ${run.out}${run.err}`)
  return line as { graphql: string; admin: string } & typeof line
}
