import { createSourceEventStream, type ExecutionResult, type ValidatedSubscriptionArgs } from 'graphql'
import type { Logger } from 'pino'
import { executeEvent } from './execute-event.ts'
import { formatError } from './format-error.ts'
import { bodyOf, COMMENT_BLOCK, COMPLETE_BLOCK, openingBlock } from './frame.ts'
import { logFailure } from './log-failure.ts'
import { resultJson } from './result-json.ts'
import { retryMs } from './retry.ts'
import { type CloseReason, type Member, type Outlet, WRITE_STALL_MS } from './subscriber.ts'

export interface PullOptions {
  readonly heartbeatMs: number
  readonly log: Logger
  /** Called once, when the stream has ended, however it did. */
  readonly onEnd: (reason: CloseReason) => void
}

/**
 * A subscription to a field with a hand-written `subscribe`: a stream of its own for each client, without a cursor.
 * It pulls: the next event is asked for when the outlet has taken the last one, so that nothing is queued here.
 */
export class PullSubscriber implements Member {
  readonly #args: ValidatedSubscriptionArgs
  readonly #outlet: Outlet
  readonly #log: Logger
  readonly #onEnd: (reason: CloseReason) => void
  readonly #events: AsyncIterator<unknown>
  readonly #heartbeat: NodeJS.Timeout
  /** Since when the outlet is full, in milliseconds of the monotonic clock; 0: it is not. */
  #fullSince = 0
  #onDrained: (() => void) | undefined
  #closed = false

  constructor(args: ValidatedSubscriptionArgs, events: AsyncIterator<unknown>, outlet: Outlet, options: PullOptions) {
    this.#args = args
    this.#outlet = outlet
    this.#log = options.log
    this.#onEnd = options.onEnd
    this.#events = events
    this.#write(openingBlock(retryMs(), undefined))
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs)
    void this.#run()
  }

  drained(): void {
    this.#fullSince = 0
    this.#onDrained?.()
    this.#onDrained = undefined
  }

  progressed(): void {
    if (this.#fullSince !== 0) this.#fullSince = performance.now()
  }

  gone(): void {
    this.end('client')
  }

  end(reason: CloseReason, bytes?: Buffer): void {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#heartbeat)
    this.drained()
    void endSource(this.#events, this.#log)
    this.#outlet.end(bytes)
    this.#onEnd(reason)
  }

  async #run(): Promise<void> {
    let reason: CloseReason = 'complete'
    try {
      while (!this.#closed) {
        const item = await this.#events.next()
        if (item.done) break
        await this.#send(resultJson(await executeEvent(this.#args, item.value), this.#log))
      }
    } catch (error) {
      reason = 'failed'
      if (!this.#closed) await this.#send(JSON.stringify({ errors: [formatError(error, this.#log)] }))
    }
    this.end(reason, COMPLETE_BLOCK)
  }

  async #send(json: string): Promise<void> {
    if (this.#closed) return
    this.#write(bodyOf(json))
    if (this.#fullSince === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onDrained = resolve
    await promise
  }

  /** A full outlet has other bytes to wait for; one that takes them for too long is given up. */
  #beat(): void {
    if (this.#fullSince === 0) this.#write(COMMENT_BLOCK)
    else if (this.#fullSince < performance.now() - WRITE_STALL_MS) {
      this.#outlet.destroy()
      this.end('stalled')
    }
  }

  #write(bytes: Buffer): void {
    if (!this.#outlet.write(bytes)) this.#fullSince ||= performance.now()
  }
}

/** The source of a hand-written subscription, or why it does not start. */
export type OpenedSource =
  | { readonly events: AsyncIterator<unknown> }
  | { readonly errors: readonly unknown[] | undefined }

/** Starts the source of a hand-written subscription. Never rejects. */
export async function openSource(args: ValidatedSubscriptionArgs): Promise<OpenedSource> {
  try {
    const source: AsyncIterable<unknown> | ExecutionResult = await createSourceEventStream(args)
    if (!(Symbol.asyncIterator in source)) return { errors: source.errors }
    return { events: source[Symbol.asyncIterator]() }
  } catch (error) {
    return { errors: [error] }
  }
}

/** Tells a source to end. It may fail to, in its own way; nobody is left to be told but the log. */
export async function endSource(events: AsyncIterator<unknown>, log: Logger): Promise<void> {
  try {
    await events.return?.()
  } catch (error) {
    logFailure(log, error, 'A source failed to end', {}, 'warn')
  }
}
