import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

/** What is told of a process that ended by itself. */
const TAIL_LINES = 20
const WAIT_EVERY_MS = 25

export interface ChildOptions {
  /** What people call it. */
  readonly name: string
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
}

/**
 * A process of ours, with all that it starts in a process group of its own: a Ctrl-C in the terminal is for us, and we
 * end the group in good order. It does not outlive us, even where we are killed with -9: a shell waits at the end of a
 * pipe that closes with us, and kills the group then.
 */
export class Child {
  readonly name: string
  /** Resolves when it has ended, by itself or by `stop`. */
  readonly ended: Promise<void>
  readonly #process: ChildProcess
  readonly #lines: string[] = []
  #running = true
  #end = 'is running'

  constructor({ name, program, args, env = {}, cwd }: ChildOptions) {
    this.name = name
    this.#process = spawn(program, args, {
      env: { ...process.env, ...env },
      ...(cwd !== undefined && { cwd }),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const watchdog = this.#process.pid === undefined ? undefined : watch(this.#process.pid)
    this.ended = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#running = false
        this.#end = how
        watchdog?.kill('SIGKILL')
        resolve()
      }
      this.#process.once('error', ({ message }) => end(`could not be started: ${message}`))
      // What it has started and left behind ends with it: Nginx's workers would serve on without their master.
      this.#process.once('exit', () => killGroup(this.pid))
      this.#process.once('close', (code, signal) => end(signal ? `was ended by ${signal}` : `ended with code ${code}`))
    })
    for (const output of [this.#process.stdout, this.#process.stderr]) {
      if (!output) continue
      createInterface({ input: output }).on('line', (line) => {
        this.#lines.push(line)
        if (this.#lines.length > TAIL_LINES) this.#lines.shift()
      })
    }
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  get running(): boolean {
    return this.#running
  }

  /** How it ended, and what it said last. */
  get epitaph(): string {
    return [`${this.name} ${this.#end}`, ...this.#lines.map((line) => `  ${line}`)].join('\n')
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#running) this.#process.kill(signal)
  }

  /** Waits until it does what it was started for. @throws Error with its last lines if it ends before, or never does. */
  async until(holds: () => Promise<boolean>, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const deadline = performance.now() + timeoutMs
    while (!(await holds())) {
      signal?.throwIfAborted()
      if (!this.#running) throw new Error(this.epitaph)
      if (performance.now() > deadline) throw new Error(`${this.epitaph}\nIt was not there in ${timeoutMs / 1000} s`)
      await delay(WAIT_EVERY_MS)
    }
  }

  /** Ends it by `signal`, and after the limit by force, with whatever it has started. */
  async stop(signal: NodeJS.Signals, limitMs: number): Promise<void> {
    this.signal(signal)
    const timer = setTimeout(() => this.kill(), limitMs)
    await this.ended
    clearTimeout(timer)
  }

  /** Ends it at once. */
  kill(): void {
    if (this.#running) killGroup(this.pid)
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // Nobody is left in it.
  }
}

/** Its standard input ends when this process does, however that comes about. */
function watch(group: number): ChildProcess {
  const watchdog = spawn('sh', ['-c', 'read _; kill -9 -"$1"', 'sh', String(group)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watchdog.on('error', () => {}) // without a shell the child is still ended by `stop`
  watchdog.unref()
  return watchdog
}

/** Runs a program to its end. @throws Error with what it said, if it fails. */
export async function runToEnd(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', (data) => {
      said += data
    })
  }
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${program} ${args[0]} ended with code ${code}: ${said.trim()}`)
}
