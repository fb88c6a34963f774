import type { Result } from '../sluice-client.ts'
import { type FeedStatus, rootOf, type View } from './view.ts'

export interface TableSnapshot<Row> extends FeedStatus {
  /** The rows by their key. */
  readonly rows: ReadonlyMap<string, Row>
  /** All rows were told: from now on come changes. */
  readonly ready: boolean
  /** There are more rows than `max`, and those are left out. */
  readonly partial: boolean
}

/** An item of a table's stream (docs/tables.md). */
interface Change<Row> {
  readonly op: 'RESET' | 'ROW' | 'READY' | 'UPSERT' | 'REMOVE'
  readonly key?: string | null
  readonly row?: Row | null
}

/**
 * The rows of a table. Those that follow a RESET are shown when all of them have come, at READY; until then the former
 * ones are.
 */
export class TableRows<Row> implements View<TableSnapshot<Row>> {
  readonly #max: number
  #rows = new Map<string, Row>()
  /** Those since RESET, until READY. */
  #coming: Map<string, Row> | undefined
  #partial = false
  #comingPartial = false
  #ready = false
  #shown: ReadonlyMap<string, Row> | undefined

  /** @throws RangeError for a `max` that is no number of rows */
  constructor({ max }: { readonly max: number }) {
    if (!(Number.isInteger(max) && max > 0)) throw new RangeError(`max must be a whole number from 1, and is ${max}`)
    this.#max = max
  }

  take(result: Result): void {
    const change = rootOf(result) as Change<Row> | null | undefined
    if (!change) return
    const rows = this.#coming ?? this.#rows
    const { op, key, row } = change
    if (op === 'RESET') {
      this.#coming = new Map()
      this.#comingPartial = false
    } else if (op === 'READY') {
      if (this.#coming) {
        this.#rows = this.#coming
        this.#partial = this.#comingPartial
      }
      this.#coming = undefined
      this.#ready = true
    } else if (typeof key === 'string') {
      if (op === 'REMOVE' || row === null || row === undefined) rows.delete(key)
      else if (rows.has(key) || rows.size < this.#max) rows.set(key, row)
      else if (this.#coming) this.#comingPartial = true
      else this.#partial = true
    }
    this.#shown = undefined
  }

  snapshot(status: FeedStatus): TableSnapshot<Row> {
    this.#shown ??= this.#ready ? new Map(this.#rows) : new Map()
    return { rows: this.#shown, ready: this.#ready, partial: this.#partial, ...status }
  }
}
