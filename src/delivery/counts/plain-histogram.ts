/** A histogram of plain numbers: cheap to add to, read at the scrape. */
export class PlainHistogram {
  /** Upper bounds of the buckets, ascending. */
  readonly bounds: readonly number[]
  /** What is in each bucket, not added up, and at the end what is beyond all bounds. */
  readonly counts: number[]
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  /** `weight`: how often the value occurred. */
  observe(value: number, weight = 1): void {
    let bucket = 0
    while (bucket < this.bounds.length && value > (this.bounds[bucket] as number)) bucket++
    this.counts[bucket] = (this.counts[bucket] as number) + weight
    this.sum += value * weight
    this.count += weight
  }
}
