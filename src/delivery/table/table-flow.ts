import { decodeCursor } from '../../streams/cursor/cursor.ts'
import type { Feed } from '../../streams/feed/feed.ts'
import { Position } from '../../streams/feed/position.ts'
import type { Settled } from '../../streams/feed/settled.ts'
import type { Restarts } from '../../streams/feed/window.ts'
import type { ChangeItems } from '../../streams/table/item.ts'
import type { Change, Row } from '../../streams/table/row.ts'
import type { Table } from '../../streams/table/table.ts'
import type { Watcher } from '../../streams/table/watchers.ts'
import { PIECE_BYTES } from '../frames/piece.ts'
import type { OnFailed, OnJson } from '../render/outcome.ts'
import type { Renderer } from '../render/renderer.ts'
import type { Beginning, Flow } from '../replay/flow.ts'
import type { MemberReplay, ReplayHost } from '../replay/replay-host.ts'
import type { FlowOptions } from '../replay/stream-flow.ts'
import { RowSelection } from './row-selection.ts'
import { TableHistory } from './table-history.ts'
import { TableReplay } from './table-replay.ts'

/** Changes read in one turn of the event loop, after an awaited one. */
const CATCH_UP_BATCH = 100

export interface TableFlowOptions extends FlowOptions {
  readonly table: Table
  /** The table was loaded again: what the members were told is void, and each begins again by `begin`. */
  readonly onLoaded: (begin: (host: ReplayHost) => MemberReplay) => void
}

/**
 * A table's flow. *In step*, it renders each change as the table has it: what is selected now is an `UPSERT`, what was
 * before a `REMOVE`. While a resolver is awaited it is a position, and then tells the latest of each row that has
 * changed meanwhile. What happened while it had no members is told by the replays of those who come.
 */
export class TableFlow implements Flow, Watcher {
  /** One that lags by more gets the latest of each row instead of every change. */
  readonly maxLagBytes = PIECE_BYTES
  readonly counts = { asked: 0, taken: 0 }
  readonly #table: Table
  readonly #feed: Feed
  readonly #renderer: Renderer
  readonly #selection: RowSelection
  readonly #history: TableHistory
  readonly #onJson: OnJson
  readonly #onFailed: OnFailed
  readonly #onLoaded: TableFlowOptions['onLoaded']
  #unwatch: () => void
  /** Undefined: in step, at the table's position. */
  #held: Settled | undefined
  /** Counts what voids an awaited result. */
  #runs = 0
  #ended = false

  /** @throws SluiceError `BAD_USER_INPUT` if the field's `where` has too many combinations. */
  constructor({ table, feed, stream, renderer, log, shared, key, onJson, onFailed, onLoaded }: TableFlowOptions) {
    this.#table = table
    this.#feed = feed
    this.#renderer = renderer
    this.#onJson = onJson
    this.#onFailed = onFailed
    this.#onLoaded = onLoaded
    this.#selection = new RowSelection(feed.topic, stream.select)
    this.#history = new TableHistory({ cache: shared.history, key, selection: this.#selection, renderer, log })
    this.#unwatch = table.watch(this.#selection.lookup, this)
  }

  get settled(): Settled {
    const { head, window, cursor } = this.#feed
    return this.#held ?? { cursor, vector: head, seq: this.#table.store.nextSeq, restarts: window.restarts }
  }

  get read(): Settled {
    return this.settled
  }

  suspend(): void {
    this.#runs++
    this.#unwatch()
  }

  resume(): void {
    this.#held = undefined
    this.#unwatch = this.#table.watch(this.#selection.lookup, this)
  }

  end(): void {
    this.#ended = true
    this.#unwatch()
  }

  begin(host: ReplayHost, { position, named, hasMarker }: Beginning): MemberReplay {
    return new TableReplay(host, { ...this.#shown, position, cursor: named, hasMarker })
  }

  goOn(host: ReplayHost, cursor: string, restarts: Restarts): MemberReplay {
    const position = Position.after(this.#feed, decodeCursor(this.#feed.topic.name, cursor), restarts)
    return new TableReplay(host, { ...this.#shown, position, cursor, hasMarker: false })
  }

  onChange(change: Change, items: ChangeItems<unknown>): void {
    // It reads this change after the awaited one.
    if (this.#held) return
    const { row } = change
    const body = this.#bodyOf(change, items)
    this.counts.asked++
    if (body === undefined) return
    this.counts.taken++
    const { head, cursor, window } = this.#feed
    const { restarts } = window
    if (!(body instanceof Promise)) {
      this.#onJson(body, cursor, row.seq, restarts, row.timestamp)
      return
    }
    const before = head.with(row.partition, row.offset)
    this.#held = { cursor: this.#feed.cursorAt(before), vector: before, seq: row.seq, restarts }
    this.#await(body, { cursor, vector: [...head], seq: row.seq + 1, restarts }, row.timestamp)
  }

  /** The position stays at what was told: what comes cannot be compared with it. */
  onVoid(): void {
    this.#runs++
    const { settled } = this
    this.#held = { ...settled, vector: [...settled.vector] }
  }

  onLoaded(): void {
    this.#held = undefined
    this.#onLoaded((host) => {
      // It has a cursor, of what is void.
      const { cursor } = this.settled
      return new TableReplay(host, { ...this.#shown, position: undefined, cursor, hasMarker: false })
    })
  }

  failed(error: unknown, at = {}): void {
    if (this.#ended) return
    this.end()
    this.#onFailed(error, at)
  }

  get #shown() {
    return { table: this.#table, history: this.#history }
  }

  /** A filter that throws counts as an error of the row. */
  #bodyOf({ row: { event }, before }: Change, items: ChangeItems<unknown>): Buffer | Promise<Buffer> | undefined {
    try {
      if (event && this.#selection.has(event)) return this.#renderer.render(items.upsert)
    } catch (error) {
      return this.#renderer.renderError(error)
    }
    return this.#selection.showed(before) ? this.#renderer.render(items.remove) : undefined
  }

  /** Goes on after a body that is being resolved. */
  #await(pending: Promise<Buffer>, after: Settled, timestamp: number): void {
    this.#later(pending, (json) => {
      this.#onJson(json, after.cursor, after.seq - 1, after.restarts, timestamp)
      this.#held = after
    })
  }

  /**
   * Tells the latest of each row that has changed, until one has to be awaited. Meanwhile the position stays, since the
   * rows are those of no moment.
   */
  #readOn(): void {
    const rows = this.#changesFrom(this.settled.seq)
    for (const row of rows) {
      const after = { ...this.settled, seq: row.seq + 1 }
      const body = this.#history.changed(row, this.settled.vector)
      if (body instanceof Promise) {
        this.#await(body, after, row.timestamp)
        return
      }
      if (body !== null) this.#onJson(body, after.cursor, row.seq, after.restarts, row.timestamp)
      this.#held = after
    }
    if (rows.length < CATCH_UP_BATCH) this.#held = undefined
    else this.#later(new Promise<void>((resolve) => setImmediate(resolve)), () => {})
  }

  /** Reads on after `pending`. Its exceptions are handled here: no caller could catch them. */
  #later<T>(pending: Promise<T>, take: (value: T) => void): void {
    const run = this.#runs
    const goOn = (value: T): void => {
      if (this.#ended || run !== this.#runs) return
      take(value)
      this.#readOn()
    }
    pending.then(goOn).catch((error: unknown) => this.failed(error))
  }

  #changesFrom(seq: number): Row[] {
    const rows: Row[] = []
    this.#table.store.visitFrom(seq, (row) => rows.push(row) < CATCH_UP_BATCH)
    return rows
  }
}
