/** Sends drafts, and says what came back. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../random.ts'
import { Connection, type Outcome } from '../wire.ts'
import { CURSOR, type Draft, TOKEN } from './draft.ts'
import { draftBytes, scribbled } from './draft-bytes.ts'

/** An answer takes no longer than this, also where 40 requests are under way on a busy machine. */
export const ANSWER_MS = 20_000
/** Whatever came by then: the rest of a request is not to come. */
const WILD_MS = 50
const UNREAD_MS = 300
const MAX_KEPT = 50

/** What the gateway has handed out, for later requests to use. */
export class HandedOut {
  readonly #random: Random
  readonly #tokens: string[] = []
  readonly #cursors: string[] = ['none-yet']

  constructor(random: Random) {
    this.#random = random
  }

  learn(outcome: Outcome): void {
    if (typeof outcome === 'string') return
    if (outcome.status === 201) this.#tokens.push(outcome.body)
    const cursor = /^id: (.+)$/m.exec(outcome.body)?.[1]
    if (cursor) this.#cursors.push(cursor)
    for (const kept of [this.#tokens, this.#cursors]) if (kept.length > MAX_KEPT) kept.shift()
  }

  /** Some of the cursors come back damaged. */
  fill(text: string): string {
    const token = this.#random.pick(this.#tokens) ?? 'none-yet'
    const whole = this.#random.pick(this.#cursors)
    const at = this.#random.int(whole.length)
    const cursor = this.#random.chance(0.3)
      ? whole.slice(0, at) + this.#random.pick(['', 'A', '=', 'é']) + whole.slice(at + 1)
      : whole
    return text.replaceAll(TOKEN, token).replaceAll(CURSOR, cursor)
  }
}

export interface Ports {
  readonly port: number
  readonly adminPort: number
}

/** One of the workers: it keeps a connection for requests that allow it. */
export class Sender {
  readonly #ports: Ports
  readonly #random: Random
  readonly #handedOut: HandedOut
  readonly #address: string
  #kept: Connection | undefined

  constructor(ports: Ports, random: Random, handedOut: HandedOut, number: number) {
    this.#ports = ports
    this.#random = random
    this.#handedOut = handedOut
    this.#address = `127.0.0.${2 + (number % 20)}`
  }

  /** Undefined where no answer is waited for. */
  async send(draft: Draft): Promise<Outcome | undefined> {
    const bytes = draftBytes(draft, this.#random, (text) => this.#handedOut.fill(text))
    const outcome = await this.#deliver(draft, bytes)
    if (outcome) this.#handedOut.learn(outcome)
    return outcome
  }

  close(): void {
    this.#kept?.destroy()
  }

  async #deliver(draft: Draft, bytes: Buffer): Promise<Outcome | undefined> {
    const { delivery, toAdmin, method } = draft
    const toHead = method === 'HEAD'
    if (delivery === 'whole' || delivery === 'chunked') {
      if (toAdmin || toHead) return await this.#alone(toAdmin, (connection) => connection.socket.write(bytes), toHead)
      return await this.#kindly(bytes)
    }
    return await this.#alone(
      toAdmin,
      async (connection) => {
        const { socket } = connection
        if (delivery === 'slow') {
          const third = Math.ceil(bytes.length / 3)
          for (let at = 0; at < bytes.length; at += third) {
            socket.write(bytes.subarray(at, at + third))
            await delay(WILD_MS)
          }
        } else if (delivery === 'cut') socket.end(bytes.subarray(0, this.#random.int(bytes.length)))
        else if (delivery === 'wild') {
          socket.write(scribbled(bytes, this.#random))
          await delay(WILD_MS)
          socket.end()
        } else if (delivery === 'pipelined') {
          socket.write(Buffer.concat([bytes, bytes]))
          // The first of the two answers; a stream ends for what follows it.
          await connection.answer(ANSWER_MS, toHead)
        } else if (delivery === 'unread') {
          socket.pause()
          socket.write(bytes)
          await delay(UNREAD_MS)
          return 'ignored'
        } else if (delivery === 'reset') {
          socket.write(bytes)
          await delay(this.#random.int(20))
          socket.resetAndDestroy()
          return 'ignored'
        }
        return undefined
      },
      toHead,
    )
  }

  /** On the connection that is kept, or a new one if that was closed meanwhile. */
  async #kindly(bytes: Buffer): Promise<Outcome> {
    for (;;) {
      const isNew = this.#kept === undefined || this.#kept.closed
      const connection = isNew ? new Connection(this.#ports.port, this.#address) : (this.#kept as Connection)
      this.#kept = connection
      const outcome = await connection.ask(bytes, ANSWER_MS)
      if (typeof outcome === 'string' || !outcome.whole) {
        connection.destroy()
        this.#kept = undefined
      }
      if (outcome !== 'closed' || isNew) return outcome
    }
  }

  async #alone(
    toAdmin: boolean,
    write: (connection: Connection) => unknown,
    toHead: boolean,
  ): Promise<Outcome | undefined> {
    const connection = new Connection(toAdmin ? this.#ports.adminPort : this.#ports.port, this.#address)
    try {
      if ((await write(connection)) === 'ignored') return undefined
      return await connection.answer(ANSWER_MS, toHead)
    } finally {
      connection.destroy()
    }
  }
}
