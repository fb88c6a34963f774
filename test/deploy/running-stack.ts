import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { freePorts, isFree } from '../../deploy/kafka/probe.ts'
import { findNginx, NGINX_MISSING } from '../../deploy/nginx/run.ts'
import { describeKafka } from '../kit/kafka.ts'
import { until } from '../kit/until.ts'

const START_TIMEOUT_MS = 90_000
const END_TIMEOUT_MS = 40_000
/** For a test that starts one stack. */
export const STACK_TEST_MS = START_TIMEOUT_MS + END_TIMEOUT_MS
const SUBSCRIPTION = JSON.stringify({ query: 'subscription { ordersByRegion(region: EUROPE) { id } }' })

export interface RunningStack {
  readonly process: ChildProcess
  readonly url: string
  output(): string
  /** The path of the certificate of its Nginx. */
  certificate(): string
  untilStarted(): Promise<void>
  untilEnded(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** Of gateways as many as any test starts, with their admin ports; none of these is `taken`. */
async function freeBase(taken: readonly number[]): Promise<number> {
  for (;;) {
    const [base] = (await freePorts(1)) as [number]
    const wanted = [1, 2, 3, 101, 102, 103].map((offset) => base + offset)
    const free = await Promise.all(wanted.map((port) => !taken.includes(port) && isFree(port)))
    if (free.every(Boolean)) return base
  }
}

/** As a shell runs it: in a process group of its own, which a Ctrl-C goes to. */
export async function startStack(
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<RunningStack> {
  const [port, kafka] = (await freePorts(2)) as [number, number]
  const base = await freeBase([port, kafka])
  const places = ['--port', `${port}`, '--kafka-port', `${kafka}`, '--base-port', `${base}`]
  const stack = spawn(process.execPath, ['deploy/stack/main.ts', ...places, '--rate', '100', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [stack.stdout, stack.stderr]) {
    stream.on('data', (data) => {
      output += data
    })
  }
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    stack.once('close', (code, signal) => resolve({ code, signal }))
  })
  onTestFinished(async () => {
    stack.kill('SIGKILL')
    await ended
  })
  const hasEnded = () => stack.exitCode !== null || stack.signalCode !== null
  return {
    process: stack,
    url: `https://127.0.0.1:${port}/graphql`,
    output: () => output,
    certificate: () => /its certificate is (\S+)/.exec(output)?.[1] ?? '',
    async untilStarted() {
      const started = () => output.includes('Ctrl-C ends all of it.')
      await until('the stack is there', () => started() || hasEnded(), START_TIMEOUT_MS)
      expect(output).toContain('Ctrl-C ends all of it.')
    },
    async untilEnded() {
      await until('the stack has ended', hasEnded, END_TIMEOUT_MS)
      return ended
    },
  }
}

/** All processes that this one started, directly or not, that run. What has ended and waits to be reaped does not. */
function descendants(pid: number): { pid: number; command: string }[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(statOf)
  const of = (parent: number): typeof all =>
    all.filter(({ ppid }) => ppid === parent).flatMap((child) => [child, ...of(child.pid)])
  return of(pid)
}

function statOf(pid: string): { pid: number; ppid: number; command: string; startedAt: string }[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ppid, ...more] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state === 'Z') return []
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return [{ pid: Number(pid), ppid: Number(ppid), command, startedAt: more[17] ?? '' }]
  } catch {
    return [] // it has ended meanwhile
  }
}

/** Those that still run. */
const left = (processes: readonly { pid: number; command: string }[]) =>
  processes.filter(({ pid, command }) => statOf(String(pid))[0]?.command === command)

/** A stream through Nginx by curl, until the test ends. */
function openStream(stack: RunningStack): () => string {
  const headers = ['--header', 'accept: text/event-stream', '--header', 'content-type: application/json']
  const options = ['--silent', '--no-buffer', '--http2', '--cacert', stack.certificate()]
  const curl = spawn('curl', [...options, ...headers, '--data', SUBSCRIPTION, stack.url])
  onTestFinished(() => void curl.kill('SIGKILL'))
  let text = ''
  curl.stdout.on('data', (data) => {
    text += data
  })
  return () => text
}

export const ctrlC = ({ process: { pid } }: RunningStack) => process.kill(-pid!, 'SIGINT')

/** A block of tests that need all that the stack does; skipped by name where something is missing. */
export const describeStack: typeof describeKafka = (name, tests) => {
  const missing = findNginx() === undefined ? ` (skipped: ${NGINX_MISSING})` : ''
  if (missing) test.skip(name + missing, () => {})
  else describeKafka(name, tests, { ownBroker: true })
}

/** One of its processes is ended from outside; it says so, and ends the others. */
export async function expectEndWhenKilled(command: string, name: RegExp): Promise<RunningStack> {
  const stack = await startStack()
  await stack.untilStarted()
  const processes = descendants(stack.process.pid!)
  const victim = processes.find((process) => process.command.includes(command))
  process.kill(victim!.pid, 'SIGKILL')
  expect(await stack.untilEnded()).toEqual({ code: 1, signal: null })
  await until('nothing of it runs', () => left(processes).length === 0)
  expect(stack.output()).toMatch(name)
  expect(stack.output()).toContain('So all of it ends.')
  return stack
}

/** It is ended when it has come so far, and leaves nothing. */
export async function expectNothingLeft(said: string, end: (stack: RunningStack) => void): Promise<number | null> {
  const stack = await startStack()
  await until('it has come so far', () => stack.output().includes(said), START_TIMEOUT_MS)
  const processes = descendants(stack.process.pid!)
  expect(processes.length).toBeGreaterThan(0)
  end(stack)
  const { code } = await stack.untilEnded()
  await until('nothing of it runs', () => left(processes).length === 0)
  return code
}

/** From Kafka to curl, and Ctrl-C. */
export async function expectOrdersAndNothingLeft(gateways: number, args: readonly string[]): Promise<void> {
  const stack = await startStack(['--gateways', String(gateways), ...args])
  await stack.untilStarted()
  for (const part of ['Kafka', 'Nginx', 'Feed']) expect(stack.output()).toMatch(new RegExp(`^${part} +\\S`, 'm'))
  expect(stack.output().match(/^gateway-\d+ +\S+/gm)).toHaveLength(gateways)

  const processes = descendants(stack.process.pid!)
  const commands = processes.map(({ command }) => command).join('\n')
  for (const part of ['kafka.Kafka', 'nginx: master', 'src/demo/produce.ts']) expect(commands).toContain(part)
  expect(commands.match(/nginx: worker/g)).toHaveLength(2)
  expect(commands.match(/src\/main\.ts/g)).toHaveLength(gateways)

  const stream = openStream(stack)
  await until('three orders came', () => stream().split('"ordersByRegion"').length > 3)
  ctrlC(stack)
  expect(await stack.untilEnded()).toEqual({ code: 0, signal: null })
  await until('nothing of it runs', () => left(processes).length === 0)
  // The gateway's goodbye reached the client, through an Nginx that was still there.
  expect(stream().trimEnd()).toMatch(/\nretry: \d+$/)
  expect(stack.output()).toMatch(/All of it has ended\n$/)
}
