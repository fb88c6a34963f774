const BUCKETS = 10
const BUCKET_MS = 1000

/** Event rate: events a second over the last ten seconds, in whole seconds, so that counting is cheap. */
export class Rate {
  readonly #counts = new Float64Array(BUCKETS)
  #bucket = 0

  count(now: number, events = 1): void {
    this.#advance(now)
    const slot = this.#bucket % BUCKETS
    this.#counts[slot] = (this.#counts[slot] as number) + events
  }

  perSecond(now: number): number {
    this.#advance(now)
    let sum = 0
    for (const count of this.#counts) sum += count
    return sum / (BUCKETS * (BUCKET_MS / 1000))
  }

  #advance(now: number): void {
    const bucket = Math.floor(now / BUCKET_MS)
    if (bucket - this.#bucket >= BUCKETS) this.#counts.fill(0)
    else for (let passed = this.#bucket + 1; passed <= bucket; passed++) this.#counts[passed % BUCKETS] = 0
    this.#bucket = Math.max(bucket, this.#bucket)
  }
}
