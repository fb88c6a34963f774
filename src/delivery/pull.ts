import { createSourceEventStream, type ExecutionResult, type ValidatedSubscriptionArgs } from 'graphql'
import type { Logger } from 'pino'
import { type Faults, logError } from '../errors/faults.ts'
import { formatError } from '../errors/format.ts'
import type { ErrorSink } from '../errors/resolver-errors.ts'
import { retryMs } from '../errors/retry-hints.ts'
import { type Framing, frame, NO_CURSOR } from '../protocol/framing.ts'
import { jsonLine } from '../protocol/json-line.ts'
import { PULLS } from '../streams/turn-budget.ts'
import { endOutlet } from './group/ending.ts'
import { type CloseReason, type Outlet, type OutletListener, WRITE_STALL_MS } from './outlet.ts'
import { executeEvent } from './render/execute-event.ts'
import { resultJson } from './render/result-json.ts'

export interface PullOptions {
  readonly framing: Framing
  readonly heartbeatMs: number
  readonly log: Logger
  readonly errors: ErrorSink
  readonly faults: Faults
  /** Counts a result that its outlet has not taken; undefined: there is no room for one so large. */
  readonly hold: (bytes: number) => { release(): void } | undefined
  /** Called once, when the stream has ended, however it did. */
  readonly onEnd: (reason: CloseReason) => void
}

/**
 * A subscription to a field with a hand-written `subscribe`: a stream of its own for each client, without a cursor.
 * It pulls: the next event is asked for when the outlet has taken the last one, so that nothing is queued here.
 */
export class PullSubscriber implements OutletListener {
  readonly #args: ValidatedSubscriptionArgs
  readonly #outlet: Outlet
  readonly #framing: Framing
  readonly #log: Logger
  readonly #errors: ErrorSink
  readonly #faults: Faults
  readonly #hold: PullOptions['hold']
  readonly #onEnd: (reason: CloseReason) => void
  readonly #events: AsyncIterator<unknown>
  readonly #heartbeat: NodeJS.Timeout
  /** Since when the outlet is full, in milliseconds of the monotonic clock; 0: it is not. */
  #fullSince = 0
  #onDrained: (() => void) | undefined
  #closed = false
  #sent = 0

  constructor(args: ValidatedSubscriptionArgs, events: AsyncIterator<unknown>, outlet: Outlet, options: PullOptions) {
    this.#args = args
    this.#outlet = outlet
    this.#framing = options.framing
    this.#log = options.log
    this.#errors = options.errors
    this.#faults = options.faults
    this.#hold = options.hold
    this.#onEnd = options.onEnd
    this.#events = events
    this.#write(this.#framing.opening(retryMs(), undefined))
    this.#heartbeat = setInterval(() => this.#contain(() => this.#beat()), options.heartbeatMs)
    this.#run().catch((error: unknown) => this.#fail(error))
  }

  /** Results written. */
  get events(): number {
    return this.#sent
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
    this.#leave('client')
  }

  end(reason: CloseReason): void {
    if (this.#leave(reason)) endOutlet(this.#outlet, this.#framing, reason)
  }

  #leave(reason: CloseReason): boolean {
    if (this.#closed) return false
    this.#closed = true
    clearInterval(this.#heartbeat)
    this.drained()
    void endSource(this.#events, this.#log)
    this.#onEnd(reason)
    return true
  }

  async #run(): Promise<void> {
    let reason: CloseReason = 'complete'
    try {
      while (!this.#closed) {
        // A source that is always ready goes on in microtasks, in which no socket is read and no timer fires.
        if (PULLS.isTurnUsedUp()) {
          await PULLS.next()
          continue
        }
        const item = await this.#events.next()
        if (item.done) break
        // A stream that is reserved and not open yet is full from the start: no result waits for it.
        await this.#untilDrained()
        if (this.#closed) break
        await this.#send(resultJson(await executeEvent(this.#args, item.value), this.#errors))
      }
    } catch (error) {
      reason = 'failed'
      if (!this.#closed) await this.#send(jsonLine({ errors: [formatError(error, this.#errors)] }))
    }
    // Also after an error: its client would come back to the same.
    if (!this.#leave(reason)) return
    this.#outlet.closing?.(reason)
    endOutlet(this.#outlet, this.#framing, 'complete')
  }

  async #send(json: string): Promise<void> {
    if (this.#closed) return
    const bytes = frame(this.#framing.results, NO_CURSOR, Buffer.from(json))
    this.#sent++
    this.#write(bytes)
    if (this.#fullSince === 0) return
    const unsent = this.#hold(bytes.length)
    if (!unsent) {
      this.end('stalled')
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

  #contain(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** A mistake of ours, or an outlet that is of no use: it ends without `complete`. Never throws. */
  #fail(error: unknown): void {
    this.#faults.tell('pull', error)
    this.#faults.contain('pull', () => this.end('failed'))
    this.#faults.contain('pull', () => this.#outlet.destroy())
  }

  /** A full outlet has other bytes to wait for; one that takes them for too long is given up. */
  #beat(): void {
    const beat = this.#framing.heartbeat(undefined)
    if (this.#fullSince !== 0) {
      if (this.#fullSince < performance.now() - WRITE_STALL_MS) this.end('stalled')
    } else if (beat.length > 0) this.#write(beat)
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
    logError(log, error, {}, 'A source failed to end', 'warn')
  }
}
