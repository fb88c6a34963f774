import type { ResultFraming } from '../../protocol/framing.ts'
import { covers, type Vector } from '../../streams/cursor/vector.ts'
import type { Capture } from '../../streams/table/capture.ts'
import { removeItem, rowItem, type TableItem, upsertItem } from '../../streams/table/item.ts'
import type { Row } from '../../streams/table/row.ts'
import type { TableStore } from '../../streams/table/table-store.ts'
import type { FrameLog } from '../frames/frame-log.ts'
import type { Renderer } from '../render/renderer.ts'
import { type HistoryCache, jsonIn, Pieces } from '../replay/pieces.ts'
import type { RowSelection } from './row-selection.ts'

/** Rows in one cache entry. */
const CHUNK_ROWS = 1024

export interface TableHistoryOptions {
  readonly cache: HistoryCache
  /** Key of the rendered results. */
  readonly key: string
  readonly selection: RowSelection
  readonly renderer: Renderer
  readonly log: FrameLog
}

/** Encoded rows of a capture, without positions, and the place after them. */
interface RowsRead {
  readonly bytes: Buffer | undefined
  readonly frames: number
  /** The buffer is the same for all members that read the same. */
  readonly isShared: boolean
  readonly next: number
}

/** A group's results of a table's rows: those of a capture are rendered once, and cached for all who read it. */
export class TableHistory {
  readonly #options: TableHistoryOptions
  readonly #pieces: Pieces
  readonly #marks = new Map<TableItem, Buffer>()

  constructor(options: TableHistoryOptions) {
    this.#options = options
    this.#pieces = new Pieces(options.cache, CHUNK_ROWS)
  }

  /** Whether a client at a position can be told what has changed since: of all rows that it is told of. */
  isKnownSince(vector: Vector, { wholeFrom }: TableStore): boolean {
    return !this.#options.selection.isBound || covers(vector, wholeFrom)
  }

  /** Rows of a capture from a place on: about one piece at most. A promise: call again when it is settled. */
  read(capture: Capture, place: number, framing: ResultFraming): RowsRead | Promise<void> {
    const base = place - (place % CHUNK_ROWS)
    const key = `${this.#options.key}\ntable ${capture.id}:${base}`
    const places = Math.min(CHUNK_ROWS, capture.rows.length - base)
    const chunk = this.#pieces.chunk(key, places)
    const run = {
      next: (at: number) => at,
      json: (at: number) => jsonIn(chunk, at, () => this.#rowJson(capture.rows[base + at] as Row)),
      cursor: undefined,
    }
    const piece = this.#pieces.layOut(chunk, place - base, { first: 0, end: places }, () => run)
    this.#pieces.count(key, chunk)
    if (piece instanceof Promise) return piece
    const { bytes, count, isWhole } = piece.read(place - base, piece.end, framing)
    return { bytes, frames: count, isShared: isWhole, next: base + piece.end }
  }

  /**
   * The result of a changed row for a client at a position, without one for a client that is being told what there is.
   * Null: the client has not had the row, and is not to have it.
   */
  changed(row: Row, vector: Vector | undefined): Buffer | Promise<Buffer> | null {
    const { selection, renderer, log } = this.#options
    const { event } = row
    try {
      if (!event || !selection.has(event)) {
        return selection.mayHaveHad(row, vector) ? renderer.render(removeItem(row.key)) : null
      }
      if (!vector) return renderer.render(rowItem(event))
      // What the frame log holds is not rendered again.
      return log.jsonOf(row.seq) ?? renderer.render(upsertItem(event))
    } catch (error) {
      return renderer.renderError(error)
    }
  }

  /** The result of `RESET` or `READY`, which is the same every time. */
  mark(item: TableItem): Buffer | Promise<Buffer> {
    const known = this.#marks.get(item)
    if (known) return known
    const json = this.#options.renderer.render(item)
    if (!(json instanceof Promise)) this.#marks.set(item, json)
    return json
  }

  #rowJson({ event }: Row): string | Promise<string> | undefined {
    const { selection, renderer } = this.#options
    if (!event) return undefined
    try {
      return selection.has(event) ? renderer.jsonOf(rowItem(event)) : undefined
    } catch (error) {
      return renderer.jsonOfError(error)
    }
  }
}
