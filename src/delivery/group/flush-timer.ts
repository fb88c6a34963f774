/** However loaded: a person does not see this delay, and a thousand events a second become forty writes. */
const MAX_INTERVAL_MS = 25
/** Flushing takes at most about 30 % of the time: most of it is the kernel's, a write a client, however little is in it. */
const REST_PER_COST = 2.3

/**
 * When to flush: at the end of the turn after a quiet moment; under load only after a rest that follows what the last
 * flush cost, so that frames gather and go out in one write.
 */
export class FlushTimer {
  readonly #flush: () => void
  readonly #failed: (error: unknown) => void
  #notBefore = 0
  #scheduled = false
  #timer: NodeJS.Timeout | undefined

  /** `failed` is told what `flush` throws: the next one comes as if nothing had happened. */
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
