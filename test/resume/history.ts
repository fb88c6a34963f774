import type { Paint } from '../kit/feeds.ts'

/** One record of the log, as the test wrote it. */
export interface Written {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  /** Undefined: it is no valid event. */
  readonly paint: Paint | undefined
}

/**
 * All that a log ever held, by partition, whatever retention took since. Each time a partition's log lost its end, or
 * was replaced, begins an era of it, with what was left.
 */
export class LogHistory {
  readonly #eras: Written[][][] = []
  readonly #cuts: number[][] = []
  readonly earliest: number[] = []
  readonly #byNumber = new Map<number, Written>()
  /** The number of the newest event. */
  newest = 0

  get partitions(): number {
    return this.#eras.length
  }

  /** Of each partition the offset that comes next. */
  get ends(): number[] {
    return this.#eras.map((_, partition) => this.next(partition))
  }

  addPartition(): void {
    this.#eras.push([[]])
    this.#cuts.push([0])
    this.earliest.push(0)
  }

  /** The era that is written now. */
  era(partition: number): number {
    return (this.#eras[partition]?.length ?? 1) - 1
  }

  records(partition: number, era: number = this.era(partition)): readonly Written[] {
    return this.#eras[partition]?.[era] ?? []
  }

  /** Some partition has lost its end, or all that it had. */
  get isCut(): boolean {
    return this.#eras.some(({ length }) => length > 1)
  }

  /** Where the era parted from the one before. */
  cutOf(partition: number, era: number): number {
    return this.#cuts[partition]?.[era] ?? 0
  }

  next(partition: number): number {
    return this.records(partition).length
  }

  append(partition: number, timestamp: number, paint: Paint | undefined): Written {
    const records = this.records(partition) as Written[]
    const written = { partition, offset: records.length, timestamp, paint }
    records.push(written)
    if (paint) this.#byNumber.set(paint.n, written)
    this.newest = Math.max(this.newest, paint?.n ?? 0)
    return written
  }

  retain(partition: number, earliest: number): void {
    this.earliest[partition] = Math.max(this.earliest[partition] as number, earliest)
  }

  /** The log loses what is at `offset` and after it. */
  cut(partition: number, offset: number): void {
    const left = this.records(partition).slice(0, offset)
    this.#eras[partition]?.push(left)
    this.#cuts[partition]?.push(offset)
    this.earliest[partition] = Math.min(this.earliest[partition] as number, offset)
  }

  /** Every event that was ever written. */
  get events(): Iterable<Written> {
    return this.#byNumber.values()
  }

  /** The record of an event, by its number. */
  of(n: number): Written {
    const written = this.#byNumber.get(n)
    if (!written) throw new Error(`Nobody wrote an event ${n}`)
    return written
  }
}
