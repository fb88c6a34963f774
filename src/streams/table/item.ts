import type { StreamEvent } from '../event.ts'
import type { Change } from './row.ts'

/**
 * What a table's stream tells, in this order: `RESET` (forget all rows), `ROW` (one that is), `READY` (all were told),
 * then `UPSERT` and `REMOVE`.
 */
export const TABLE_OPS = ['RESET', 'ROW', 'READY', 'UPSERT', 'REMOVE'] as const
export type TableOp = (typeof TABLE_OPS)[number]

/** One item of a table's stream: the root value of its execution. */
export interface TableItem<V = unknown> {
  readonly op: TableOp
  readonly key: string | null
  /** The row's event, of `ROW` and `UPSERT`. */
  readonly event: StreamEvent<V> | null
}

export const RESET: TableItem<never> = { op: 'RESET', key: null, event: null }
export const READY: TableItem<never> = { op: 'READY', key: null, event: null }

export function rowItem<V>(event: StreamEvent<V>): TableItem<V> {
  return { op: 'ROW', key: event.key, event }
}

export function upsertItem<V>(event: StreamEvent<V>): TableItem<V> {
  return { op: 'UPSERT', key: event.key, event }
}

export function removeItem(key: string): TableItem<never> {
  return { op: 'REMOVE', key, event: null }
}

/** The items of one change, each made once for all groups that tell it. */
export class ChangeItems<V> {
  readonly #change: Change<V>
  #upsert: TableItem<V> | undefined
  #remove: TableItem<V> | undefined

  constructor(change: Change<V>) {
    this.#change = change
  }

  /** For those of whom the row's event is. */
  get upsert(): TableItem<V> {
    this.#upsert ??= upsertItem(this.#change.row.event as StreamEvent<V>)
    return this.#upsert
  }

  get remove(): TableItem<V> {
    this.#remove ??= removeItem(this.#change.row.key)
    return this.#remove
  }
}
