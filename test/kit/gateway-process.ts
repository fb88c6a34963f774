import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { freePorts } from '../../deploy/kafka/probe.ts'
import { until } from './until.ts'

/** A cold start of Node, and Kafka's answer, on a busy machine. */
export const READY_MS = 60_000
/** What is kept of its log. */
const MOST_LINES = 200

/** A gateway in a process of its own, on the same ports each time that it is started. */
export class GatewayProcess {
  readonly name: string
  readonly url: string
  readonly adminUrl: string
  /** The newest lines of its log, from `LOG_LEVEL` on (only fatal ones by default). */
  readonly lines: string[] = []
  readonly #env: Record<string, string | undefined>
  #child: ChildProcess | undefined

  private constructor(name: string, ports: readonly number[], env: Readonly<Record<string, string>>) {
    const [port, adminPort] = ports
    this.name = name
    this.url = `http://127.0.0.1:${port}`
    this.adminUrl = `http://127.0.0.1:${adminPort}`
    this.#env = {
      PATH: process.env.PATH,
      INSTANCE_ID: name,
      PORT: String(port),
      ADMIN_PORT: String(adminPort),
      LOG_LEVEL: 'fatal',
      ...env,
    }
  }

  /** One of each name, not started yet, on free ports. */
  static async create(names: readonly string[], env: Readonly<Record<string, string>>): Promise<GatewayProcess[]> {
    const ports = await freePorts(2 * names.length)
    return names.map((name) => new GatewayProcess(name, ports.splice(0, 2), env))
  }

  start(): void {
    const child = spawn(process.execPath, ['src/main.ts'], { env: this.#env, stdio: ['ignore', 'pipe', 'inherit'] })
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(line)
      if (this.lines.length > MOST_LINES) this.lines.shift()
    })
    this.#child = child
  }

  /** -9, and resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  untilReady(timeoutMs = READY_MS): Promise<void> {
    const isReady = () =>
      fetch(`${this.adminUrl}/readyz`).then(
        ({ ok }) => ok,
        () => false, // it does not listen yet
      )
    return until('a gateway is ready', isReady, timeoutMs)
  }
}
