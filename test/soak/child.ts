/** Starts the gateway under test as a process of its own, with few descriptors and little memory. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePorts } from '../../deploy/kafka/probe.ts'
import { until } from '../kit/until.ts'
import type { Region } from './orders.ts'

const HEAP_MIB = 512
const OPEN_FILES = 700
/** Of a log line, in what is kept of the log. */
const MAX_LINE_CHARS = 2_000
const MAX_KEPT_LINES = 2_000

export interface AppendedRecord {
  readonly partition: number
  /** Bytes as latin1 text. */
  readonly value: string | null
  readonly timestamp?: number
}

/** What the entry does for a line on its port. It answers each, by its number. */
export type Command =
  | { readonly op: 'append'; readonly records: readonly AppendedRecord[] }
  /** So many orders at once in a partition, as one batch. `from`: the offset of the first. */
  | {
      readonly op: 'burst'
      readonly partition: number
      readonly from: number
      readonly count: number
      readonly region: Region
    }
  | { readonly op: 'state'; readonly gc: boolean }

export interface State {
  readonly rss: number | undefined
  readonly heapUsed: number | undefined
  readonly external: number | undefined
  readonly files: number | undefined
  /** `process.getActiveResourcesInfo()`, counted by name. */
  readonly resources: Readonly<Record<string, number>>
  /** The event loop's longest delay since the last look. */
  readonly loopMaxMs: number
}

export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly text: string
}

export class GatewayProcess {
  readonly port: number
  readonly adminPort: number
  readonly #process: ChildProcess
  readonly #feed: Socket
  readonly #waiting = new Map<number, (answer: never) => void>()
  #asked = 0
  readonly log: GatewayLog
  #ended: string | undefined
  readonly #untilEnded: Promise<undefined>

  private constructor(process: ChildProcess, log: GatewayLog, feed: Socket, port: number, adminPort: number) {
    this.#process = process
    this.log = log
    this.#feed = feed
    this.port = port
    this.adminPort = adminPort
    const ended = Promise.withResolvers<undefined>()
    this.#untilEnded = ended.promise
    process.once('exit', (code, signal) => {
      this.#ended = `exit code ${code}, signal ${signal}`
      ended.resolve(undefined)
    })
    const answers = createInterface({ input: feed })
    answers.on('line', (line) => {
      const { n, answer } = JSON.parse(line)
      this.#waiting.get(n)?.(answer as never)
      this.#waiting.delete(n)
    })
    // It ends with the process, of which `ended` tells.
    for (const each of [feed, answers]) each.on('error', () => {})
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<GatewayProcess> {
    const [port, adminPort, feedPort] = (await freePorts(3)) as [number, number, number]
    const entry = join(import.meta.dirname, 'entry.ts')
    const limited = `ulimit -n ${OPEN_FILES}; exec "$0" "$@"`
    const args = [`--max-old-space-size=${HEAP_MIB}`, '--expose-gc', entry]
    const child = spawn('sh', ['-c', limited, process.execPath, ...args], {
      env: {
        PATH: process.env.PATH,
        PORT: String(port),
        ADMIN_PORT: String(adminPort),
        FEED_PORT: String(feedPort),
        INSTANCE_ID: 'soak',
        HEARTBEAT_MS: '2000',
        LOG_LEVEL: 'info',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const log = new GatewayLog(child)
    const live = async () =>
      child.exitCode !== null ||
      (await fetch(`http://127.0.0.1:${adminPort}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ))
    await until('the gateway is ready', live)
    if (child.exitCode !== null) throw new Error(`The gateway ended at its start:\n${log.tail()}`)
    const feed = connect(feedPort, '127.0.0.1')
    await once(feed, 'connect')
    return new GatewayProcess(child, log, feed, port, adminPort)
  }

  get pid(): number {
    return this.#process.pid as number
  }

  /** Resolves when the process has ended. */
  untilEnded(): Promise<undefined> {
    return this.#untilEnded
  }

  /** How it ended; undefined while it runs. */
  get ended(): string | undefined {
    return this.#ended
  }

  ask<R = object>(command: Command): Promise<R> {
    return new Promise((resolve) => {
      const n = this.#asked++
      this.#waiting.set(n, resolve as (answer: never) => void)
      this.#feed.write(`${JSON.stringify({ n, ...command })}\n`)
    })
  }

  /** Never answers when it has ended: undefined after `timeoutMs`. */
  async state(gc: boolean, timeoutMs = 20_000): Promise<State | undefined> {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const timer = setTimeout(resolve, timeoutMs)
    const state = await Promise.race([this.ask<State>({ op: 'state', gc }), promise])
    clearTimeout(timer)
    return state
  }

  /** A gauge or counter of /metrics; all its labels but `instance` must be those given. */
  async metrics(): Promise<Map<string, number>> {
    const text = await (await fetch(`http://127.0.0.1:${this.adminPort}/metrics`)).text()
    const found = new Map<string, number>()
    for (const line of text.split('\n')) {
      const [, name, value] = /^(\w+)(?:\{[^}]*\})? (\S+)$/.exec(line) ?? []
      if (name && value) found.set(name, (found.get(name) ?? 0) + Number(value))
    }
    return found
  }

  async stop(): Promise<void> {
    this.#feed.destroy()
    if (this.#ended !== undefined) return
    this.#process.kill('SIGKILL')
    await once(this.#process, 'exit')
  }
}

/** What the process wrote: lines of its log, and what is none, such as the stack of an exception that ended it. */
class GatewayLog {
  lines = 0
  bytes = 0
  readonly #kept: LogLine[] = []

  constructor(child: ChildProcess) {
    for (const output of [child.stdout, child.stderr]) {
      if (output) createInterface({ input: output }).on('line', (line) => this.#take(line))
    }
  }

  /** The newest lines. */
  get kept(): readonly LogLine[] {
    return this.#kept
  }

  tail(count = 25): string {
    return this.#kept
      .slice(-count)
      .map(({ text }) => text)
      .join('\n')
  }

  #take(line: string): void {
    this.lines++
    this.bytes += line.length
    const text = line.slice(0, MAX_LINE_CHARS)
    try {
      const { level, msg } = JSON.parse(line)
      this.#kept.push({ level, msg, text })
    } catch {
      this.#kept.push({ level: Number.NaN, msg: '', text })
    }
    if (this.#kept.length > MAX_KEPT_LINES) this.#kept.shift()
  }
}
