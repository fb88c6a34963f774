import { isRefusal, SluiceClientError } from './client-error.ts'
import type { Delivery } from './delivery.ts'
import type { RequestBody } from './operation.ts'
import { type Attempts, blocksOf, demand, pause } from './requests.ts'
import { timer } from './retry.ts'
import type { Running } from './running.ts'
import { type Member, SingleSession, tokenHeader } from './single-session.ts'
import { Subscription } from './subscription.ts'
import { within } from './whole-blocks.ts'

/** A stream without operations is kept so long: a page that changes a filter stops one and starts another. */
const LINGER_MS = 1_000
/** What the opening of a stream is answered with if its token is gone: another one is reserved. */
const TOKEN_GONE = [404, 409]

/** All subscriptions of a client on one stream, and on the next when it breaks, until the last one has ended. */
export class SingleConnection {
  readonly #attempts: Attempts
  readonly #members = new Set<Member>()
  #session: SingleSession | undefined
  #stream = new AbortController()
  /** Aborts when the connection is not needed any more. */
  #idle = new AbortController()
  #isRunning = false
  #cancelLinger = () => {}

  constructor(attempts: Attempts) {
    this.#attempts = attempts
  }

  run(delivery: Delivery, body: RequestBody): Running {
    const member: Member = { delivery, body, hints: new Subscription(), full: undefined }
    this.#cancelLinger()
    this.#members.add(member)
    if (!this.#isRunning) void this.#run()
    else if (this.#session) void this.#join(member)
    return {
      stop: () => this.#leave(member),
      cut: () => this.#stream.abort(),
    }
  }

  /** Ends the stream now, if nothing runs on it. */
  close(): void {
    if (this.#members.size > 0) return
    this.#cancelLinger()
    this.#idle.abort()
    this.#stream.abort()
  }

  /** A subscription that is stopped in the turn in which it began costs no request. */
  async #join(member: Member): Promise<void> {
    await Promise.resolve()
    if (this.#members.has(member)) this.#session?.start(member)
  }

  #leave(member: Member): void {
    if (!this.#members.delete(member)) return
    this.#session?.leave(member)
    if (this.#members.size === 0) this.#cancelLinger = timer(LINGER_MS, () => this.close())
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    const hints = new Subscription()
    await Promise.resolve()
    while (this.#members.size > 0) {
      this.#stream = new AbortController()
      this.#idle = new AbortController()
      const { signal } = this.#stream
      const { cause, refusal } = await this.#runStream(signal, hints)
      this.#session = undefined
      this.#stream.abort()
      hints.failures++
      // A copy: who hears of it may subscribe anew.
      for (const { delivery } of [...this.#members]) {
        if (refusal) delivery.refuse(refusal)
        else delivery.broke(cause)
      }
      if (this.#members.size > 0) await pause(hints, this.#idle.signal, this.#attempts)
    }
    this.#isRunning = false
  }

  /** Reserves a stream, opens it, and runs the operations on it until it ends. @returns why; nothing: a planned end */
  async #runStream(
    signal: AbortSignal,
    hints: Subscription,
  ): Promise<{ cause?: unknown; refusal?: SluiceClientError }> {
    const number = hints.begin(undefined)
    const attempts = this.#attempts
    let token = ''
    try {
      const reserved = await demand({ method: 'PUT', accept: 'text/plain', signal }, 201, attempts, hints)
      token = await within(attempts.limits.heartbeatTimeoutMs, reserved.text(), attempts.alarm)
      const opening = { method: 'GET', accept: 'text/event-stream', headers: tokenHeader(token), signal } as const
      const response = await demand(opening, 'stream', attempts, hints)
      const session = this.#open(token, signal)
      for await (const block of blocksOf(response, signal, attempts)) hints.take(number, block, session.take(block))
    } catch (error) {
      if (!signal.aborted) return isRefusal(error) && !isGone(token, error) ? { refusal: error } : { cause: error }
    }
    return signal.reason instanceof SluiceClientError ? { cause: signal.reason } : {}
  }

  #open(token: string, signal: AbortSignal): SingleSession {
    const stream = this.#stream
    const session = new SingleSession({
      token,
      signal,
      attempts: this.#attempts,
      onGone: (error) => stream.abort(error),
      onFull: (member, full) => {
        member.full = full
        void full.then(() => {
          member.full = undefined
          this.#session?.start(member)
        })
      },
    })
    this.#session = session
    for (const member of this.#members) session.start(member)
    return session
  }
}

/** Another token will do. */
function isGone(token: string, { status = 0 }: SluiceClientError): boolean {
  return token !== '' && TOKEN_GONE.includes(status)
}
