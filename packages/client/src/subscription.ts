import type { Block } from './blocks.ts'

/**
 * Subscriptions under one signal that are remembered while they have no stream. Far more than break at one time; a page
 * that uses one signal for all it ever subscribes to shall not keep them all.
 */
const MAX_WAITING = 1_000

/** The opening block alone proves nothing: a gateway that dies of its streams gets as far. */
const PROVEN_BLOCKS = 2

/** What is remembered of one subscription from one attempt to the next. */
export class Subscription {
  /** The id of the last block that was taken; '' while there is none. */
  position: string
  /** The last `retry:` of its streams, ms. */
  retryMs = 0
  /** A `Retry-After`: not before this time, ms since 1970. */
  notBefore = 0
  /** Attempts in a row that failed, or whose stream broke before it had proved itself. */
  failures = 0
  /** Whether any stream of it has proved itself. */
  proved = false
  /** That of the latest attempt. */
  signal: AbortSignal | undefined
  #attempt = 0
  #open = false
  #blocks = 0

  constructor(position = '') {
    this.position = position
  }

  /** Whether an attempt is being made, or a stream is open, that nobody has aborted. */
  get open(): boolean {
    return this.#open && !this.signal?.aborted
  }

  /** @returns the attempt's number: what an older one has to say is not heard any more. */
  begin(signal: AbortSignal | undefined): number {
    this.signal = signal
    this.#open = true
    this.#blocks = 0
    return ++this.#attempt
  }

  /**
   * A whole block has been taken by whoever reads the stream.
   * @param proves false for a block that any stream gets at once, whatever becomes of it
   */
  take(attempt: number, { id, retryMs }: Pick<Block, 'id' | 'retryMs'>, proves = true): void {
    if (attempt !== this.#attempt) return
    this.position = id ?? this.position
    this.retryMs = retryMs ?? this.retryMs
    if (!proves || ++this.#blocks < PROVEN_BLOCKS) return
    this.failures = 0
    this.proved = true
  }

  end(attempt: number): void {
    if (attempt === this.#attempt) this.#open = false
  }

  /** The operation is over: another one may use the same handle. */
  complete(attempt: number): void {
    if (attempt !== this.#attempt) return
    this.#attempt++
    this.#open = false
    this.position = ''
    this.failures = 0
  }
}

/** The subscriptions that are known by the signal of their requests. A signal that nobody holds takes its own along. */
export class Subscriptions {
  readonly #bySignal = new WeakMap<AbortSignal, Map<string, Subscription>>()

  get(signal: AbortSignal, request: string): Subscription {
    const waiting = this.#bySignal.get(signal) ?? new Map<string, Subscription>()
    const subscription = waiting.get(request) ?? new Subscription()
    if (!waiting.has(request) && waiting.size >= MAX_WAITING) forgetOldest(waiting)
    waiting.set(request, subscription)
    this.#bySignal.set(signal, waiting)
    return subscription
  }

  forget(signal: AbortSignal, request: string): void {
    const waiting = this.#bySignal.get(signal)
    if (waiting?.delete(request) && waiting.size === 0) this.#bySignal.delete(signal)
  }
}

/** Maps keep the order in which their entries came. Open streams are not ours to count: each has a connection. */
function forgetOldest(waiting: Map<string, Subscription>): void {
  for (const [request, subscription] of waiting) {
    if (subscription.open) continue
    waiting.delete(request)
    return
  }
}
