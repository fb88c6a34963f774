/**
 * Longest flush interval under load: not perceptible to a person, and a thousand events a second become forty writes.
 */
const MAX_INTERVAL_MS = 25
/**
 * Duty cycle: flushing takes at most about 30 % of the time. Most of its cost is the kernel's, one write for each
 * client, whatever the size.
 */
const REST_PER_COST = 2.3

/**
 * Flush timer (write coalescing). After an idle time it flushes at the end of the turn. Under load it waits in
 * proportion to the cost of the last flush, so that several frames go out in one write.
 */
export class FlushTimer {
  readonly #flush: () => void
  readonly #failed: (error: unknown) => void
  #notBefore = 0
  #scheduled = false
  #timer: NodeJS.Timeout | undefined

  /** `failed` is called with what `flush` throws. The timer continues. */
  constructor(flush: () => void, failed: (error: unknown) => void) {
    this.#flush = flush
    this.#failed = failed
  }

  schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    const rest = this.#notBefore - performance.now()
    if (rest <= 0) queueMicrotask(this.#run)
    else this.#timer = setTimeout(this.#run, rest)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#scheduled = true
  }

  readonly #run = (): void => {
    this.#scheduled = false
    const start = performance.now()
    try {
      this.#flush()
    } catch (error) {
      this.#failed(error)
    }
    const end = performance.now()
    this.#notBefore = end + Math.min(MAX_INTERVAL_MS, (end - start) * REST_PER_COST)
  }
}
