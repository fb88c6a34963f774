/** What attacks act on: the gateway's ports, from addresses that are not those of healthy clients. */
import { setTimeout as delay } from 'node:timers/promises'
import type { AskOptions, Target } from './attacks/attack.ts'
import { subscription } from './attacks/attack.ts'
import { Failures } from './failures.ts'
import { Random } from './random.ts'
import { SECRET } from './secret.ts'
import { type Answer, Connection, codesOf, type Outcome, type RequestOptions, requestBytes } from './wire.ts'

/** As an error says it: metrics have the code as the value of a label, whether or not there was one. */
const INTERNAL = '"code":"INTERNAL_SERVER_ERROR"'

/** 127.0.0.2 and so on: limits for an address meet attackers only. */
const ADDRESSES = 6
/** No request is to wait longer: a refusal has come by then. */
const ANSWER_MS = 15_000

export interface TargetOptions {
  readonly port: number
  readonly adminPort: number
  readonly seed: number
  readonly signal: AbortSignal
  readonly failsByIntent: boolean
  readonly feed: Pick<Target, 'orders' | 'stamped' | 'raw' | 'burst'>
}

export class LoopbackTarget implements Target {
  readonly port: number
  readonly adminPort: number
  readonly random: Random
  readonly signal: AbortSignal
  readonly counts = new Map<string, number>()
  readonly #faults = new Failures()
  readonly orders: Target['orders']
  readonly stamped: Target['stamped']
  readonly raw: Target['raw']
  readonly burst: Target['burst']
  readonly #failsByIntent: boolean
  readonly #open = new Set<Connection>()

  constructor({ port, adminPort, seed, signal, failsByIntent, feed }: TargetOptions) {
    this.port = port
    this.adminPort = adminPort
    this.random = new Random(seed)
    this.signal = signal
    this.#failsByIntent = failsByIntent
    this.orders = feed.orders
    this.stamped = feed.stamped
    this.raw = feed.raw
    this.burst = feed.burst
  }

  connect(port = this.port): Connection {
    const connection = new Connection(port, `127.0.0.${2 + this.random.int(ADDRESSES)}`)
    this.#open.add(connection)
    connection.socket.once('close', () => this.#open.delete(connection))
    return connection
  }

  stream(query: string): void {
    const connection = this.connect()
    connection.discard()
    connection.socket.write(requestBytes(subscription(query)))
  }

  unread(request: RequestOptions | Buffer): Connection {
    const connection = this.connect()
    connection.socket.pause()
    connection.socket.write(bytesOf(request))
    return connection
  }

  async ask(request: RequestOptions | Buffer, { timeoutMs = ANSWER_MS, on }: AskOptions = {}): Promise<Outcome> {
    const connection = on ?? this.connect()
    const outcome = await connection.ask(bytesOf(request), timeoutMs)
    if (!on) connection.destroy()
    if (typeof outcome === 'string') {
      this.count(outcome)
      if (outcome === 'hung') this.fault(`no answer within ${timeoutMs} ms`, `, to ${shown(request)}`)
    } else this.#judge(outcome, request)
    return outcome
  }

  count(what: string, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times)
  }

  fault(what: string, of = ''): void {
    this.#faults.add(what, of)
  }

  get faults(): string[] {
    return this.#faults.shown
  }

  async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.signal }).catch(() => {})
  }

  close(): void {
    for (const connection of this.#open) connection.destroy()
  }

  #judge(answer: Answer, request: RequestOptions | Buffer): void {
    const { status, body } = answer
    const codes = new Set(codesOf(body))
    this.count([status, ...codes].join(' '))
    const wrong = whatIsWrong(answer, this.#failsByIntent)
    if (wrong) this.fault(wrong, `, to ${shown(request)}`)
  }
}

/** Statuses, codes and texts that no answer may have. */
export function whatIsWrong({ status, body, headers }: Answer, failsByIntent: boolean): string | undefined {
  if (status >= 500 && status !== 503) return `status ${status}: ${body.slice(0, 200)}`
  if (!failsByIntent && body.includes(INTERNAL)) return `INTERNAL_SERVER_ERROR: ${body.slice(0, 200)}`
  const text = `${[...headers].join()}\n${body}`
  // A stack's line, as text or within JSON; a path of this project or of Node.
  // GraphiQL's page brings the code of a library.
  const isPage = headers.get('content-type')?.startsWith('text/html') ?? false
  const leak = !isPage && /(?:\n|\\n)\s+at \S+ |node:internal|node_modules|\/src\/\w+\/|\.ts:\d+/.exec(text)
  if (leak) return `the answer shows ${JSON.stringify(leak[0])}: ${body.slice(0, 300)}`
  if (text.includes(SECRET)) return `the answer shows what a resolver threw: ${body.slice(0, 200)}`
  return undefined
}

function bytesOf(request: RequestOptions | Buffer): Buffer {
  return Buffer.isBuffer(request) ? request : requestBytes(request)
}

function shown(request: RequestOptions | Buffer): string {
  const text = bytesOf(request).toString('latin1')
  return JSON.stringify(text.length > 400 ? `${text.slice(0, 300)}…${text.slice(-100)}` : text)
}
