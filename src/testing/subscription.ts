import type { ExecutionResult } from 'graphql'
import { type EventBlock, eventBlocks } from './event-blocks.ts'

/** An open subscription. Leaving a loop over it, or disposing of it, ends it. */
export interface TestSubscription<R> extends AsyncIterableIterator<ExecutionResult<R>>, AsyncDisposable {
  /** The next results, this many. @throws Error if they do not come within the limit of the gateway's options. */
  take(count: number): Promise<ExecutionResult<R>[]>
  /**
   * Resolves when everything that was produced up to now has passed, and gave no result that has not been taken. It
   * waits for a heartbeat of the stream, not for a period. @throws Error that has the result.
   */
  none(): Promise<void>
}

export interface SubscriptionOptions {
  /** Whether a position of the stream is that of everything produced up to this call, or behind it. */
  readonly passedBy: () => (cursor: string) => boolean
  readonly timeoutMs: number
  /** What a failed expectation adds to its error. */
  readonly hint: () => string
}

/** What waits for the stream to go on: `check` says whether it has what it wanted. */
interface Waiter {
  readonly check: () => boolean
  readonly resolve: () => void
}

export class Subscription<R> implements TestSubscription<R> {
  readonly #options: SubscriptionOptions
  readonly #abort: AbortController
  readonly #waiters = new Set<Waiter>()
  readonly #results: ExecutionResult<R>[] = []
  #opened = false
  #cursor = ''
  /** Undefined while it is open; `error`: it ended otherwise than by `complete` or by its own end. */
  #end: { readonly error?: Error } | undefined

  constructor(body: AsyncIterable<Uint8Array>, abort: AbortController, options: SubscriptionOptions) {
    this.#options = options
    this.#abort = abort
    void this.#read(body)
  }

  /** Resolves at the stream's first block: what is produced from now on arrives. */
  async opened(): Promise<void> {
    await this.#until('the stream to open', () => this.#opened || this.#end !== undefined)
    if (!this.#opened && this.#end?.error) throw this.#end.error
  }

  async next(): Promise<IteratorResult<ExecutionResult<R>, undefined>> {
    await this.#wait(() => this.#results.length > 0 || this.#end !== undefined)
    const value = this.#results.shift()
    if (value) return { done: false, value }
    if (this.#end?.error) throw this.#end.error
    return { done: true, value: undefined }
  }

  async take(count: number): Promise<ExecutionResult<R>[]> {
    await this.#until(`${count} results`, () => this.#results.length >= count || this.#end !== undefined)
    if (this.#results.length < count) {
      const message = `The stream ended after ${this.#results.length} of ${count} results${this.#options.hint()}`
      throw new Error(message, { cause: this.#end?.error })
    }
    return this.#results.splice(0, count)
  }

  async none(): Promise<void> {
    const passed = this.#options.passedBy()
    const isOver = () => this.#results.length > 0 || this.#end !== undefined || passed(this.#cursor)
    await this.#until('the stream to pass what was produced', isOver)
    const [result] = this.#results
    if (result) throw new Error(`The stream has a result: ${JSON.stringify(result)}`)
    if (this.#end?.error) throw this.#end.error
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#ended()
    this.#abort.abort()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  async #read(body: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const block of eventBlocks(body)) this.#take(block)
      this.#ended(new Error(`The stream ended without \`complete\`${this.#options.hint()}`))
    } catch (error) {
      this.#ended(error as Error)
    }
  }

  #take({ id, event, data = '' }: EventBlock): void {
    this.#opened = true
    if (id !== undefined) this.#cursor = id
    if (event === 'next') this.#results.push(JSON.parse(data))
    if (event === 'complete') this.#ended()
    this.#wake()
  }

  /** The first end counts. */
  #ended(error?: Error): void {
    this.#end ??= error ? { error } : {}
    this.#wake()
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) if (waiter.check()) waiter.resolve()
  }

  async #until(what: string, check: () => boolean): Promise<void> {
    const { timeoutMs, hint } = this.#options
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const came = JSON.stringify(this.#results)
        reject(new Error(`Waited ${timeoutMs} ms for ${what}; results that came: ${came}${hint()}`))
      }, timeoutMs)
    })
    await Promise.race([this.#wait(check), late]).finally(() => clearTimeout(timer))
  }

  #wait(check: () => boolean): Promise<void> {
    if (check()) return Promise.resolve()
    return new Promise((resolve) => {
      const waiter = {
        check,
        resolve: () => {
          this.#waiters.delete(waiter)
          resolve()
        },
      }
      this.#waiters.add(waiter)
    })
  }
}
