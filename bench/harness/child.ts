import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { SERVER_CORE } from './cores.ts'

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 5_000
const TAIL_LINES = 20

export interface ChildOptions {
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** On the core of what is measured; else on that of the load. */
  readonly measured: boolean
}

/** A process of the bench: it ends with `stop`, and, however the bench ends, with the bench. */
export class Child {
  readonly process: ChildProcess
  readonly #lines: string[] = []
  readonly #waiting = new Set<() => void>()
  readonly #exited: Promise<unknown>
  #ended = false

  constructor({ program, args, env = {}, measured }: ChildOptions) {
    const pinned = measured ? ['taskset', '-c', String(SERVER_CORE)] : []
    // The signal comes when we die; SIGTERM, since Nginx's master has workers to end.
    this.process = spawn('setpriv', ['--pdeathsig', 'TERM', ...pinned, program, ...args], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.process.stdin?.on('error', () => {})
    this.#exited = once(this.process, 'close').then(() => {
      this.#ended = true
      this.#wake()
    })
    for (const output of [this.process.stdout, this.process.stderr]) {
      if (!output) continue
      createInterface({ input: output }).on('line', (line) => {
        this.#lines.push(line)
        this.#wake()
      })
    }
  }

  get pid(): number {
    return this.process.pid as number
  }

  get ended(): boolean {
    return this.#ended
  }

  /** What it has said last. */
  get tail(): string {
    return this.#lines.slice(-TAIL_LINES).join('\n')
  }

  /** The next line, from the first or from those said after `from`, that contains `text`. */
  async said(text: string, from = 0, timeoutMs = START_TIMEOUT_MS): Promise<string> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const line = this.#lines.slice(from).find((each) => each.includes(text))
      if (line !== undefined) return line
      if (this.#ended) throw new Error(`${this.process.spawnargs.join(' ')} ended:\n${this.tail}`)
      if (performance.now() > deadline) throw new Error(`It did not say "${text}":\n${this.tail}`)
      await this.#more()
    }
  }

  /** Asks by a line on its standard input; resolves with the line that it answers. */
  async ask(question = ''): Promise<string> {
    const before = this.#lines.length
    this.process.stdin?.write(`${question}\n`)
    return this.said('{', before)
  }

  /** Resident memory, in bytes. */
  get rss(): number {
    return this.#memory('VmRSS')
  }

  /** The processes that it has started. */
  get children(): number[] {
    return readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  }

  /** From now on `peakRss` is the most since now. */
  resetPeak(): void {
    writeFileSync(`/proc/${this.pid}/clear_refs`, '5')
  }

  /** The most resident memory there was, in bytes. */
  get peakRss(): number {
    return this.#memory('VmHWM')
  }

  async stop(): Promise<void> {
    if (!this.#ended) this.process.kill('SIGTERM')
    await this.#exit()
  }

  /** Ends a process that ends with its standard input. */
  async end(): Promise<void> {
    this.process.stdin?.end()
    await this.#exit()
  }

  #memory(name: 'VmRSS' | 'VmHWM'): number {
    if (this.#ended) throw new Error(`${this.process.spawnargs.join(' ')} ended:\n${this.tail}`)
    const kib = new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]
    return Number(kib) * 1024
  }

  async #exit(): Promise<void> {
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await this.#exited
    clearTimeout(timer)
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(wake, 500)
      const waiting = this.#waiting
      function wake(): void {
        clearTimeout(timer)
        waiting.delete(wake)
        resolve()
      }
      waiting.add(wake)
    })
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}
