import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ExecutionResult, executeSubscriptionEvent, GraphQLError } from 'graphql'
import { SluiceError } from '../errors.ts'
import type { Context } from '../schema/context.ts'
import { gapError } from '../schema/stream-field.ts'
import type { Gap, StreamEvent } from '../streams/event.ts'
import type { Feed, Interest } from '../streams/feed.ts'
import { meets } from '../streams/interest-index.ts'
import type { Where } from '../streams/topic.ts'
import { WindowReader } from '../streams/window-reader.ts'
import type { BoundStream, Operation } from './operation.ts'

/** An event's resolvers may take this long; then its frame has `errors`, and the stream goes on. */
export const EVENT_TIMEOUT_MS = 10_000
/** Events read on from the window in one turn of the event loop. */
const CATCH_UP_BATCH = 100

/** Takes results in the order of their events, with the position after each. */
export type OnResult = (result: ExecutionResult, cursor: string) => void

/**
 * Runs an operation once for each event that matches. Results come in the order of events, also where resolvers are
 * asynchronous: while one is awaited, the execution is a position in the feed's window, and reads on from there.
 */
export class Execution implements Interest<unknown> {
  readonly #feed: Feed
  readonly #operation: Operation
  readonly #stream: BoundStream
  readonly #context: Context
  readonly #where: Where<unknown>
  readonly #onResult: OnResult
  readonly #stats: { executions: number }
  readonly #remove: () => void
  /** The position behind everything done, while it is not the feed's own; undefined: in step with the feed. */
  #settled: string | undefined
  /** Where to read on: set by the first event that came while another was awaited. */
  #reader: WindowReader<unknown> | undefined
  #gaps: Gap[] = []
  #ended = false

  /** @throws SluiceError `BAD_USER_INPUT` if the field's `where` asks for too much. */
  constructor(
    feed: Feed,
    operation: Operation,
    stream: BoundStream,
    stats: { executions: number },
    onResult: OnResult,
  ) {
    this.#feed = feed
    this.#stats = stats
    this.#operation = operation
    this.#stream = stream
    this.#context = operation.args.contextValue as Context
    this.#where = stream.field.where(stream.args, this.#context)
    this.#onResult = onResult
    this.#remove = feed.add(this.#where, this)
  }

  /** The position that all results so far lead to: never past an event that is being resolved. */
  get cursor(): string {
    return this.#settled ?? this.#feed.cursor
  }

  end(): void {
    this.#ended = true
    this.#remove()
    this.#reader = undefined
  }

  onEvent(event: StreamEvent, seq: number): void {
    if (this.#settled !== undefined) {
      this.#reader ??= new WindowReader(this.#feed, event, seq)
      return
    }
    const result = this.#execute(event)
    if (!(result instanceof Promise)) {
      if (result) this.#onResult(result, this.#feed.cursor)
      return
    }
    const before = [...this.#feed.head]
    before[event.partition] = event.offset
    this.#settled = this.#feed.cursorAt(before)
    void this.#finish(result, this.#feed.cursor)
  }

  onGap(gap: Gap): void {
    if (this.#settled === undefined) this.#onResult(gapResult(gap), this.#feed.cursor)
    else this.#gaps.push(gap)
  }

  /** Undefined if the filter does not want the event. A filter that fails cannot say so: the client hears of it. */
  #execute(event: StreamEvent): ExecutionResult | Promise<ExecutionResult> | undefined {
    try {
      const { filter } = this.#stream.field
      if (filter && !filter(event.value, this.#stream.args, this.#context)) return undefined
      this.#stats.executions++
      return executeSubscriptionEvent({ ...this.#operation.args, rootValue: event })
    } catch (error) {
      return failed(error)
    }
  }

  /** Waits for one event's resolvers, then reads on from the window until it is in step again. */
  async #finish(first: Promise<ExecutionResult>, after: string): Promise<void> {
    let result: ExecutionResult | undefined = await withTimeout(first)
    let cursor = after
    for (let count = 1; ; count++) {
      if (this.#ended) return
      // A gap is told before anything that comes after it, and with a position before it: rather twice than never.
      for (const gap of this.#gaps.splice(0)) this.#onResult(gapResult(gap), this.#settled ?? cursor)
      if (result) this.#onResult(result, cursor)
      this.#settled = cursor

      const item = this.#reader?.next((event) => meets(this.#where, event.value))
      if (!this.#reader || !item) break
      cursor = this.#feed.cursorAt(this.#reader.vector, item.kind === 'event' ? item : undefined)
      const next = item.kind === 'event' ? this.#execute(item) : gapResult(item)
      result = next instanceof Promise ? await withTimeout(next) : next
      if (count % CATCH_UP_BATCH === 0) await nextTurn()
    }
    this.#reader = undefined
    this.#settled = undefined
  }
}

async function withTimeout(pending: Promise<ExecutionResult>): Promise<ExecutionResult> {
  const { promise, resolve } = Promise.withResolvers<ExecutionResult>()
  const timer = setTimeout(() => resolve(failed(new SluiceError('RESOLVER_TIMEOUT'))), EVENT_TIMEOUT_MS)
  try {
    return await Promise.race([pending, promise])
  } catch (error) {
    return failed(error)
  } finally {
    clearTimeout(timer)
  }
}

function gapResult(gap: Gap): ExecutionResult {
  return failed(gapError(gap))
}

function failed(error: unknown): ExecutionResult {
  const cause = error instanceof Error ? error : new Error(String(error))
  return {
    errors: [cause instanceof GraphQLError ? cause : new GraphQLError(cause.message, { originalError: cause })],
    data: null,
  }
}
