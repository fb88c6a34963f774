/** The parent's side of the attackers' process. */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { FeedRequest, Order, ToAttacker, ToParent } from './attacker.ts'
import type { Feed } from './feed.ts'

/** What an attack may take beyond its time: its last requests are answered or given up by then. */
const GRACE_MS = 20_000

export interface Done {
  readonly counts: ReadonlyMap<string, number>
  readonly faults: readonly string[]
}

const ENDED: Done = { counts: new Map(), faults: ["the attackers' process ended"] }

export class Attackers {
  readonly #process: ChildProcess
  readonly #feed: Feed
  readonly #running = new Map<string, (done: Done) => void>()

  constructor(feed: Feed) {
    this.#feed = feed
    this.#process = fork(join(import.meta.dirname, 'attacker.ts'), {
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#process.on('message', (message: ToParent) => void this.#take(message))
    this.#process.on('exit', () => {
      for (const end of this.#running.values()) end(ENDED)
    })
  }

  /** Runs an attack; resolves at its end, also if it does not come to one. */
  async run(order: Order): Promise<Done> {
    if (!this.#process.connected) return ENDED
    const { promise, resolve } = Promise.withResolvers<Done>()
    this.#running.set(order.attack, resolve)
    const late = () => resolve({ counts: new Map(), faults: [`it did not end ${GRACE_MS} ms after its time`] })
    const timer = setTimeout(late, order.ms + GRACE_MS)
    this.#send({ order })
    const done = await promise
    clearTimeout(timer)
    this.#running.delete(order.attack)
    return done
  }

  stop(): void {
    this.#process.kill('SIGKILL')
  }

  async #take(message: ToParent): Promise<void> {
    if ('feed' in message) {
      await this.#append(message.feed)
      this.#send({ fed: message.n })
    } else {
      this.#running.get(message.done)?.({ counts: new Map(message.counts), faults: message.faults })
    }
  }

  #append(request: FeedRequest): Promise<void> {
    if ('orders' in request) return this.#feed.orders(request.orders)
    if ('stamped' in request) return this.#feed.tick(request.stamped)
    if ('raw' in request) return this.#feed.raw(request.raw)
    return this.#feed.burst(request.burst)
  }

  #send(message: ToAttacker): void {
    if (this.#process.connected) this.#process.send(message)
  }
}
