import { covers, UNKNOWN } from '../cursor/vector.ts'
import type { StreamEvent } from '../event.ts'
import { Conditions } from '../feed/conditions.ts'
import type { Selection } from '../topic/where.ts'
import { SCANS } from '../turn-budget.ts'
import type { Capture } from './capture.ts'
import { READY, RESET, removeItem, rowItem, type TableItem, upsertItem } from './item.ts'
import { isOfAnotherLog, Judge } from './judge.ts'
import { type Change, mayHaveHad, type Row } from './row.ts'
import { mayTell, type RowBound } from './row-bounds.ts'
import type { Table } from './table.ts'
import type { Watcher } from './watchers.ts'

export interface TableReadOptions<V> {
  /** All rows, if absent. */
  readonly selection?: Selection<V>
  /** Predicate on the results of the selection. One that throws does not select. */
  readonly test?: ((event: StreamEvent<V>) => boolean) | undefined
  /** Which rows it may be told of. They are among the conditions of selection and test already. */
  readonly bounds?: readonly RowBound[] | undefined
  /** The cursor to go on from. Without it, or where it is too old, all rows come first. */
  readonly after?: string | undefined
}

/**
 * A table's items, as an async iterator: all rows, and then the latest of each that has changed since the consumer asked
 * last. It holds a position, and the rows of one moment while it yields them.
 * @throws SluiceError `CURSOR_INVALID` for text that is no cursor of the topic.
 */
export function readTable<V>(
  table: Table<V>,
  options: TableReadOptions<V> = {},
): AsyncIterableIterator<TableItem<V>, void, undefined> {
  if (options.after !== undefined) table.feed.startAfter(options.after)
  const news = new News<V>()
  const items = read(table, news, options)
  return {
    next: () => items.next(),
    return() {
      // A generator that awaits something would end after it.
      news.end()
      return items.return()
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

async function* read<V>(
  table: Table<V>,
  news: News<V>,
  { selection = {}, test, after, bounds }: TableReadOptions<V>,
): AsyncGenerator<TableItem<V>, void, undefined> {
  const selected = new Selected(table, new Conditions<V>(table.feed.topic, selection), { test, bounds })
  const unwatch = table.watch(selection, news)
  try {
    let isKnown = after !== undefined && (await fits(table, after, bounds !== undefined))
    let vector = after === undefined ? [] : [...table.feed.startAfter(after).vector]
    let seq = 0
    for (;;) {
      while (table.state.kind === 'loading') if (!(await news.next())) return
      const { loads } = table
      if (!isKnown) {
        yield RESET
        const capture = table.capture()
        try {
          yield* rowsOf(capture, selected)
        } finally {
          table.leave(capture)
        }
        yield READY
        vector = [...capture.vector]
        seq = capture.seq
      }
      isKnown = false
      // What the consumer had is judged by where it was, until it has all that has changed since.
      const passed = [...vector]
      while (loads === table.loads) {
        const row = nextChange(table, seq)
        if (!row) {
          seq = table.store.nextSeq
          vector = [...passed]
          if (!(await news.next())) return
          continue
        }
        seq = row.seq + 1
        const item = selected.changed(row, vector, news.only(row))
        while (passed.length <= row.partition) passed.push(UNKNOWN)
        passed[row.partition] = Math.max(passed[row.partition] as number, row.offset + 1)
        if (item) yield item
      }
    }
  } finally {
    unwatch()
  }
}

/** Whether the table can go on from a cursor. @throws SluiceError `CURSOR_INVALID` */
async function fits<V>(table: Table<V>, cursor: string, isBound: boolean): Promise<boolean> {
  const judge = new Judge(table as Table, table.feed.startAfter(cursor) as never, cursor)
  for (;;) {
    const found = judge.judge(() => true)
    if (!(found instanceof Promise)) {
      const isKnown = !isBound || covers(judge.position.vector, table.store.wholeFrom)
      return found === 'fits' && isKnown && !isOfAnotherLog(judge.position)
    }
    await found
  }
}

function* rowsOf<V>({ rows }: Capture<V>, selection: Selected<V>): Generator<TableItem<V>> {
  for (const { event } of rows) if (event && selection.has(event)) yield rowItem(event)
}

function nextChange<V>(table: Table<V>, seq: number): Row<V> | undefined {
  let found: Row<V> | undefined
  table.store.visitFrom(seq, (row) => {
    found = row
    return false
  })
  return found
}

class Selected<V> {
  readonly #table: Table<V>
  readonly #conditions: Conditions<V>
  readonly #test: TableReadOptions<V>['test']
  readonly #bounds: TableReadOptions<V>['bounds']

  constructor(table: Table<V>, conditions: Conditions<V>, { test, bounds }: TableReadOptions<V>) {
    this.#table = table
    this.#conditions = conditions
    this.#test = test
    this.#bounds = bounds
  }

  has(event: StreamEvent<V>): boolean {
    try {
      return this.#conditions.meets(event) && (!this.#test || this.#test(event))
    } catch {
      return false
    }
  }

  /**
   * The item of a changed row for a consumer at a position; undefined: it is of no interest. `change`: the only one
   * since the consumer had all there was.
   */
  changed(row: Row<V>, vector: readonly number[], change: Change<V> | undefined): TableItem<V> | undefined {
    const { event, partition, offset } = row
    if (offset < (vector[partition] ?? 0)) return undefined
    if (event && this.has(event)) return upsertItem(event)
    const had = change
      ? change.before !== undefined && this.has(change.before)
      : mayHaveHad(row as Row, vector, event !== undefined && !this.#conditions.meets(event)) &&
        mayTell(row as Row, vector, this.#bounds, this.#table.feed.topic)
    return had ? removeItem(row.key) : undefined
  }
}

/** Tells a waiting consumer that something has changed. */
class News<V> implements Watcher<V> {
  #wake: (() => void) | undefined
  #failed: { readonly error: unknown } | undefined
  #isEnded = false
  #isNews = false
  /** The first change since the consumer has waited, if no other came. */
  #only: Change<V> | undefined

  /** Resolves when something has changed since the last call: in a later turn, if it has. False: the consumer ends. */
  async next(): Promise<boolean> {
    if (this.#isNews) await SCANS.next()
    else if (!this.#isEnded) await new Promise<void>((resolve) => (this.#wake = resolve))
    this.#isNews = false
    if (this.#failed) throw this.#failed.error
    return !this.#isEnded
  }

  /** The change of a row, if it is the only one since the consumer has waited. */
  only(row: Row<V>): Change<V> | undefined {
    const change = this.#only
    this.#only = undefined
    return change?.row === row ? change : undefined
  }

  end(): void {
    this.#isEnded = true
    this.#tell()
  }

  onChange(change: Change<V>): void {
    this.#only = this.#wake ? change : undefined
    this.#tell()
  }

  onVoid(): void {
    this.#tell()
  }

  onLoaded(): void {
    this.#tell()
  }

  failed(error: unknown): void {
    this.#failed = { error }
    this.#tell()
  }

  #tell(): void {
    this.#isNews = true
    this.#wake?.()
    this.#wake = undefined
  }
}
