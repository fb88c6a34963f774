/** One record of a compacted topic, as a test wrote it. */
export interface Told {
  readonly key: string
  readonly partition: number
  readonly offset: number
  /** Undefined: a tombstone, or what nobody can read. */
  readonly n: number | undefined
  readonly color: string | undefined
}

/** All that a compacted topic ever held, whatever compaction took since. */
export class ToldLog {
  readonly partitions: Told[][]
  readonly #byNumber = new Map<number, Told>()
  #next = 0

  constructor(partitions: number) {
    this.partitions = Array.from({ length: partitions }, () => [])
  }

  /** Of a key that is always in the same partition. */
  append(key: string, color: string | undefined): Told {
    const partition = partitionOf(key, this.partitions.length)
    const records = this.partitions[partition] as Told[]
    const n = color === undefined ? undefined : this.#next++
    const told = { key, partition, offset: records.length, n, color }
    records.push(told)
    if (n !== undefined) this.#byNumber.set(n, told)
    return told
  }

  clear(): void {
    for (const records of this.partitions) records.length = 0
  }

  get ends(): number[] {
    return this.partitions.map(({ length }) => length)
  }

  of(n: number): Told {
    const told = this.#byNumber.get(n)
    if (!told) throw new Error(`Nobody wrote ${n}`)
    return told
  }

  /** The latest record of each key below a position. */
  latestAt(positions: readonly number[]): Iterable<Told> {
    const latest = new Map<string, Told>()
    for (const [partition, records] of this.partitions.entries()) {
      for (const told of records.slice(0, Math.max(0, positions[partition] ?? 0))) latest.set(told.key, told)
    }
    return latest.values()
  }

  rowsAt(positions: readonly number[], selects: (told: Told) => boolean): Map<string, number> {
    const rows = new Map<string, number>()
    for (const told of this.latestAt(positions)) if (selects(told)) rows.set(told.key, told.n as number)
    return rows
  }
}

function partitionOf(key: string, partitions: number): number {
  return Number(key.slice(1)) % partitions
}
