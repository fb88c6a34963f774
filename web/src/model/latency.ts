/** Upper ends of the histogram's bars, ms; the last bar is for all that is more. */
export const STEPS_MS = [10, 20, 35, 50, 75, 100, 150, 250, 500, 1_000, 2_500] as const

/** How many of the newest values count. */
const KEPT = 600

/** End-to-end latencies of the newest orders, from placed to drawn. */
export class Latency {
  readonly #values = new Float32Array(KEPT)
  readonly #sorted = new Float32Array(KEPT)
  #count = 0

  /** @param ms by two clocks: what they differ by is said when it is known. */
  add(ms: number): void {
    this.#values[this.#count++ % KEPT] = ms
  }

  /** No order was drawn before it was placed: the difference of the clocks is at least this, ms. */
  leastDifference(): number {
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i < this.size; i++) least = Math.min(least, this.#values[i]!)
    return -least
  }

  get size(): number {
    return Math.min(this.#count, KEPT)
  }

  clear(): void {
    this.#count = 0
  }

  /**
   * Those of each step, and what half and 99 of 100 of them are below; undefined where there is none.
   * @param difference how far the clock of who placed them is ahead, ms
   */
  summary(difference: number): {
    readonly p50: number | undefined
    readonly p99: number | undefined
    readonly bars: readonly number[]
  } {
    const { size } = this
    const sorted = this.#sorted.subarray(0, size)
    sorted.set(this.#values.subarray(0, size))
    sorted.sort()
    const bars = new Array<number>(STEPS_MS.length + 1).fill(0)
    for (const value of sorted) {
      const step = STEPS_MS.findIndex((end) => value + difference <= end)
      bars[step === -1 ? STEPS_MS.length : step]!++
    }
    const rank = (share: number) =>
      size === 0 ? undefined : Math.max(0, sorted[Math.min(size - 1, Math.floor(share * size))]! + difference)
    return { p50: rank(0.5), p99: rank(0.99), bars }
  }
}
