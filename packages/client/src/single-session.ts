import { type Block, dataOf } from './blocks.ts'
import { errorOfResult, isRefusal, SluiceClientError } from './client-error.ts'
import type { Delivery } from './delivery.ts'
import type { RequestBody, Result } from './operation.ts'
import { type Attempts, demand, discard, pause } from './requests.ts'
import { Subscription } from './subscription.ts'

/** Operations that are started at one time: a browser has six connections to an origin, and one is the stream's. */
const MAX_STARTING = 4
/** A request that stops an operation is sent once more if it fails. */
const STOP_TRIES = 2

/** The connection of a start broke just when it was answered, which looks to the server as if it had been given up. */
const ABANDONED = 'OPERATION_ABANDONED'

/** A subscription in single connection mode, over all the streams that carry it. */
export interface Member {
  readonly delivery: Delivery
  readonly body: RequestBody
  /** Of its own starts, apart from those of the stream. */
  readonly hints: Subscription
  /** Its receiver has to catch up before it is started again. */
  full: Promise<void> | undefined
}

export interface SingleSessionOptions {
  readonly token: string
  /** Aborts when the stream has ended, and all its operations with it. */
  readonly signal: AbortSignal
  readonly attempts: Attempts
  /** The server does not know the stream any more. */
  readonly onGone: (error: SluiceClientError) => void
  /** A member's operation was stopped, since its receiver takes no more. */
  readonly onFull: (member: Member, full: Promise<void>) => void
}

/**
 * One stream in single connection mode, and the operations on it. The request that starts an operation is never
 * aborted while the stream lives: nobody would know whether it runs. It is stopped once its request is answered.
 */
export class SingleSession {
  readonly #options: SingleSessionOptions
  readonly #running = new Map<string, Member>()
  readonly #queue = new Set<Member>()
  readonly #stopping = new Set<string>()
  /** Ids whose request has no answer yet. */
  readonly #starting = new Set<string>()
  #lastId = 0

  constructor(options: SingleSessionOptions) {
    this.#options = options
  }

  /** Runs it behind its position, in its turn. */
  start(member: Member): void {
    if (this.#options.signal.aborted || member.full || member.delivery.isEnded) return
    this.#queue.add(member)
    this.#startNext()
  }

  /** Nothing of it is to stay on the server. */
  leave(member: Member): void {
    this.#queue.delete(member)
    for (const [id, each] of this.#running) if (each === member) this.#end(id)
  }

  /**
   * A block of the stream.
   * @returns whether it proves that the server can serve: a marker does not
   * @throws TypeError or SyntaxError for one that is of no operation
   */
  take(block: Block): boolean {
    if (!block.hasData) return true
    const { id, payload } = dataOf(block) as { id: unknown; payload?: Result }
    if (typeof id !== 'string') throw new TypeError('A block of the stream does not name its operation')
    const member = this.#running.get(id)
    if (!member) {
      // The request that was to stop it has been lost.
      if (block.event === 'next' && !this.#starting.has(id)) void this.#stop(id)
    } else if (block.event === 'complete') {
      this.#running.delete(id)
      member.delivery.complete()
    } else if (block.event === 'next') {
      if (payload?.errors?.[0]?.extensions?.code === ABANDONED) {
        this.#running.delete(id)
        void this.#again(member, errorOfResult(payload, ABANDONED))
        return true
      }
      const cursor = payload?.extensions?.cursor
      const full = member.delivery.take(payload, typeof cursor === 'string' ? cursor : undefined)
      if (full && this.#running.has(id)) {
        this.#end(id)
        this.#options.onFull(member, full)
      }
    }
    return !payload?.extensions?.caughtUp
  }

  #startNext(): void {
    for (const member of this.#queue) {
      if (this.#starting.size >= MAX_STARTING) return
      this.#queue.delete(member)
      void this.#start(member)
    }
  }

  async #start(member: Member): Promise<void> {
    const { delivery, hints } = member
    const id = String(++this.#lastId)
    this.#running.set(id, member)
    this.#starting.add(id)
    let isUnknown = true
    let failure: unknown
    try {
      const position = delivery.resumeAt ? { lastEventId: delivery.resumeAt } : {}
      const body = member.body({ cursor: true, markers: true, operationId: id, ...position })
      const accept = 'application/graphql-response+json, application/json'
      discard(await this.#request({ method: 'POST', accept, body }, 202, hints))
      hints.failures = 0
    } catch (error) {
      failure = error
      isUnknown = !(error instanceof SluiceClientError) || (error.status ?? 0) >= 500
    }
    this.#starting.delete(id)
    this.#startNext()
    if (this.#options.signal.aborted) return
    const isWanted = this.#running.get(id) === member
    if (failure !== undefined) this.#running.delete(id)
    if (isUnknown && (!isWanted || failure !== undefined)) void this.#stop(id)
    if (!isWanted) return
    if (failure === undefined) delivery.opened()
    else await this.#failed(member, failure)
  }

  async #failed(member: Member, failure: unknown): Promise<void> {
    const { onGone } = this.#options
    const { delivery } = member
    if (failure instanceof SluiceClientError && failure.status === 404) return onGone(failure)
    if (isRefusal(failure)) return delivery.refuse(failure)
    await this.#again(member, failure)
  }

  async #again(member: Member, failure: unknown): Promise<void> {
    const { signal, attempts } = this.#options
    const { delivery, hints } = member
    hints.failures++
    delivery.broke(failure)
    await pause(hints, signal, attempts)
    this.start(member)
  }

  #end(id: string): void {
    this.#running.delete(id)
    if (!this.#starting.has(id)) void this.#stop(id)
  }

  async #stop(id: string): Promise<void> {
    if (this.#stopping.has(id)) return
    this.#stopping.add(id)
    const { signal, attempts } = this.#options
    const hints = new Subscription()
    const search = `operationId=${encodeURIComponent(id)}`
    for (let tries = STOP_TRIES; tries > 0 && !signal.aborted; tries--) {
      try {
        discard(await this.#request({ method: 'DELETE', accept: '*/*', search }, 200, hints))
        tries = 0
      } catch {
        // Should the next try fail too, the operation's next result leads to another.
        if (tries > 1) await pause(hints, signal, attempts)
      }
    }
    this.#stopping.delete(id)
  }

  #request(
    request: { method: 'POST' | 'DELETE'; accept: string; body?: string; search?: string },
    wants: 200 | 202,
    hints: Subscription,
  ): Promise<Response> {
    const { token, signal, attempts } = this.#options
    return demand({ ...request, headers: tokenHeader(token), signal }, wants, attempts, hints)
  }
}

export function tokenHeader(token: string): Record<string, string> {
  return { 'x-graphql-event-stream-token': token }
}
