import {
  createSourceEventStream,
  type ExecutionResult,
  executeSubscriptionEvent,
  type ValidatedSubscriptionArgs,
} from 'graphql'
import type { Logger } from 'pino'
import { formatError } from './format-error.ts'
import { bodyOf, COMMENT_BLOCK, COMPLETE_BLOCK, openingBlock } from './frame.ts'
import { boundedJson } from './result-size.ts'
import { retryMs } from './retry.ts'
import { type CloseReason, type Member, type Outlet, WRITE_STALL_MS } from './subscriber.ts'

export interface PullOptions {
  readonly heartbeatMs: number
  readonly log: Logger
  /** Counts a result that its outlet has not taken; undefined: there is no room for one so large. */
  readonly hold: (bytes: number) => { release(): void } | undefined
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
  readonly #hold: PullOptions['hold']
  readonly #onEnd: (reason: CloseReason) => void
  readonly #events: AsyncIterator<unknown>
  readonly #heartbeat: NodeJS.Timeout
  /** Since when the outlet is full, in milliseconds of the monotonic clock; 0: it is not. */
  #fullSince = 0
  #onDrained: (() => void) | undefined
  #closed = false

  constructor(args: ValidatedSubscriptionArgs, events: AsyncIterable<unknown>, outlet: Outlet, options: PullOptions) {
    this.#args = args
    this.#outlet = outlet
    this.#log = options.log
    this.#hold = options.hold
    this.#onEnd = options.onEnd
    this.#events = events[Symbol.asyncIterator]()
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
        // A stream that is reserved and not open yet is full from the start: no result waits for it.
        await this.#untilDrained()
        if (this.#closed) break
        await this.#send(await executeSubscriptionEvent({ ...this.#args, rootValue: item.value }))
      }
    } catch (error) {
      reason = 'failed'
      if (!this.#closed) await this.#send({ errors: [error as never] })
    }
    this.end(reason, COMPLETE_BLOCK)
  }

  async #send(result: ExecutionResult): Promise<void> {
    if (this.#closed) return
    const errors = result.errors?.map((error) => formatError(error, this.#log))
    const body = bodyOf(boundedJson(JSON.stringify(errors ? { ...result, errors } : result)))
    this.#write(body)
    if (this.#fullSince === 0) return
    const unsent = this.#hold(body.length)
    if (!unsent) {
      this.#cut()
      return
    }
    await this.#untilDrained()
    unsent.release()
  }

  async #untilDrained(): Promise<void> {
    if (this.#fullSince === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onDrained = resolve
    await promise
  }

  #cut(): void {
    this.#outlet.destroy()
    this.end('stalled')
  }

  /** A full outlet has other bytes to wait for; one that takes them for too long is given up. */
  #beat(): void {
    if (this.#fullSince === 0) this.#write(COMMENT_BLOCK)
    else if (this.#fullSince < performance.now() - WRITE_STALL_MS) this.#cut()
  }

  #write(bytes: Buffer): void {
    if (!this.#outlet.write(bytes)) this.#fullSince ||= performance.now()
  }
}

/** Starts the source of a hand-written subscription. @returns the result with errors, if it does not start. */
export async function openSource(args: ValidatedSubscriptionArgs): Promise<AsyncIterable<unknown> | ExecutionResult> {
  return await createSourceEventStream(args)
}

/** Tells a source to end. It may fail to, in its own way; nobody is left to be told but the log. */
export async function endSource(events: AsyncIterator<unknown>, log: Logger): Promise<void> {
  try {
    await events.return?.()
  } catch (error) {
    log.warn({ err: error }, 'A source failed to end')
  }
}
