import { UNKNOWN, type Vector } from '../cursor/vector.ts'
import type { StreamEvent } from '../event.ts'
import { eventBytes, type Sizes } from '../feed/size.ts'
import { heapBytes } from '../topic/heap-bytes.ts'
import type { TableLimits } from '../topic/table-limits.ts'
import type { Lookups } from '../topic/topic.ts'
import { ChangeOrder } from './change-order.ts'
import { type Change, isLater, type Row, type RowRecord } from './row.ts'
import { pastOf } from './row-bounds.ts'

/** A row without its event: the object, its entry by key, and its places in the order of changes, holes included. */
const ROW_BYTES = 192

/** An indexed value that a removed row had. */
const HAD_BYTES = 16
/** The last change of an indexed value, and its place. */
const MOVE_BYTES = 48

const NO_LOOKUPS: Lookups = { indexed: new Map(), ordered: new Map() }

/** The table is larger than its limits. The message is a sentence for clients. */
export class TableTooLarge extends Error {
  override readonly name = 'TableTooLarge'
}

/**
 * The latest record of each key, in the order of changes. The rows of one partition are in the order of their offsets,
 * so that a reader that has passed a row has passed every row of its partition with a lower offset.
 */
export class TableStore<V = unknown> {
  readonly #name: string
  readonly #limits: TableLimits
  readonly #sizes: Sizes<V> | undefined
  /** How the values are read that lookups compare. */
  readonly #readers: readonly ((event: StreamEvent) => unknown)[]
  /** Those of the index. */
  readonly #indexed: readonly ((event: StreamEvent) => unknown)[]
  /** It has been loaded: a key that it does not have is in no earlier record, as far as clients can know. */
  isWhole = false
  #rows = new Map<string, Row<V>>()
  #order = new ChangeOrder<Row<V>>()
  /** Marks of removed rows, and when each was removed, the oldest first. */
  #marks = new Map<Row<V>, number>()
  #nextSeq = 0
  #bytes = 0
  /** By partition the offset below which a removal may have been forgotten. */
  #floors: number[] = []
  /** By partition the offset up to which it was loaded. */
  #wholeFrom: number[] = []

  constructor(name: string, limits: TableLimits, lookups: Lookups = NO_LOOKUPS, sizes?: Sizes<V>) {
    this.#name = name
    this.#indexed = [...lookups.indexed.values()]
    this.#readers = [...this.#indexed, ...[...lookups.ordered.values()].map(({ value }) => value)]
    this.#limits = limits
    this.#sizes = sizes
  }

  /** Number of rows, without marks. */
  get size(): number {
    return this.#rows.size - this.#marks.size
  }

  get marks(): number {
    return this.#marks.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Number that the next change gets. */
  get nextSeq(): number {
    return this.#nextSeq
  }

  /** A client that is below these has to begin again: what was removed since then may have been forgotten. */
  get floors(): Vector {
    return this.#floors
  }

  /** Of what came before these, only the latest of each row is known: not what the row was. */
  get wholeFrom(): Vector {
    return Array.from(this.#wholeFrom, (offset = 0) => offset)
  }

  get(key: string): Row<V> | undefined {
    return this.#rows.get(key)
  }

  /** The rows, without marks, in the order of changes. */
  rows(): Row<V>[] {
    return this.#order.toArray().filter(({ event }) => event !== undefined)
  }

  /** Visits rows and marks from a change on, until `visit` returns false. */
  visitFrom(seq: number, visit: (row: Row<V>) => boolean): void {
    this.#order.visitFrom(seq, visit)
  }

  /**
   * Takes a record; without `event` it removes the row. Undefined: a later record of its key is known.
   * @throws TableTooLarge
   */
  put(record: RowRecord, event: StreamEvent<V> | undefined, now: number): Change<V> | undefined {
    const { key, partition, offset, timestamp } = record
    const known = this.#rows.get(key)
    if (known && !isLater(record, known)) return undefined
    const bytes = ROW_BYTES + (event ? eventBytes(event, this.#sizes) : heapBytes(key))
    const past = pastOf(this.#indexed, offset, event, known as Row | undefined)
    const row: Row<V> = {
      key,
      seq: this.#nextSeq++,
      partition,
      offset,
      timestamp,
      event,
      steadyFrom: this.#steadyFrom(record, event, known),
      bytes: bytes + HAD_BYTES * (past.had?.length ?? 0) + MOVE_BYTES * (past.moves?.length ?? 0),
      ...past,
    }
    if (!this.isWhole) this.#wholeFrom[partition] = Math.max(this.#wholeFrom[partition] ?? 0, offset + 1)
    if (known) this.#let(known)
    this.#rows.set(key, row)
    this.#order.push(row)
    this.#bytes += row.bytes
    if (!event) this.#marks.set(row, now)
    this.#bound(now)
    return { row, before: known?.event }
  }

  /** Drops marks that are older than the topic keeps tombstones. */
  expire(now: number): void {
    const before = now - this.#limits.tombstonesMs
    for (const [mark, removedAt] of this.#marks) {
      if (removedAt >= before) return
      this.#forget(mark)
    }
  }

  clear(): void {
    this.#rows = new Map()
    this.#order = new ChangeOrder()
    this.#marks = new Map()
    this.#bytes = 0
    this.#floors = []
    this.#wholeFrom = []
    this.isWhole = false
  }

  /**
   * Orders the rows by partition and offset, as new changes. It is called when a log has been loaded while changes
   * arrived: what was loaded last is older than these.
   */
  rearrange(): void {
    const rows = [...this.#rows.values()].sort((a, b) => a.partition - b.partition || a.offset - b.offset)
    const marks = this.#marks
    this.#rows = new Map()
    this.#order = new ChangeOrder()
    this.#marks = new Map()
    for (const old of rows) {
      const row = { ...old, seq: this.#nextSeq++ }
      this.#rows.set(row.key, row)
      this.#order.push(row)
      const removedAt = marks.get(old)
      if (removedAt !== undefined) this.#marks.set(row, removedAt)
    }
  }

  #steadyFrom({ partition, offset }: RowRecord, event: StreamEvent<V> | undefined, known: Row<V> | undefined): number {
    if (!known) return this.isWhole ? UNKNOWN : offset
    const before = known.event
    if (known.partition !== partition || !event || !before) return offset
    for (const read of this.#readers) if (read(event) !== read(before)) return offset
    return known.steadyFrom
  }

  /** Beyond a limit, marks go first. */
  #bound(now: number): void {
    const { maxKeys, maxBytes } = this.#limits
    this.expire(now)
    if (this.#marks.size <= maxKeys && this.size <= maxKeys && this.#bytes <= maxBytes) return
    for (const [mark] of this.#marks) {
      if (this.#marks.size <= maxKeys && this.#bytes <= maxBytes) break
      this.#forget(mark)
    }
    if (this.size > maxKeys) throw new TableTooLarge(`The table "${this.#name}" has more than ${maxKeys} rows`)
    if (this.#bytes > maxBytes) throw new TableTooLarge(`The table "${this.#name}" takes more than ${maxBytes} bytes`)
  }

  #forget(mark: Row<V>): void {
    const { key, partition, offset } = mark
    this.#let(mark)
    this.#rows.delete(key)
    while (this.#floors.length <= partition) this.#floors.push(0)
    this.#floors[partition] = Math.max(this.#floors[partition] as number, offset + 1)
  }

  /** The row is replaced, or forgotten. */
  #let(row: Row<V>): void {
    this.#order.remove(row)
    this.#marks.delete(row)
    this.#bytes -= row.bytes
  }
}
