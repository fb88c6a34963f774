import type { Context } from '../../schema/context.ts'
import type { Vector } from '../../streams/cursor/vector.ts'
import type { StreamEvent } from '../../streams/event.ts'
import { meets } from '../../streams/feed/interest-index.ts'
import { mayHaveHad, type Row } from '../../streams/table/row.ts'
import type { IndexReaders } from '../../streams/topic/indexed.ts'
import type { Where } from '../../streams/topic/where.ts'
import type { BoundStream } from '../operation/operation.ts'

/** Which rows of a table a group shows. */
export class RowSelection {
  /** No other row is selected. */
  readonly where: Where<unknown>
  readonly #readers: IndexReaders
  readonly #stream: BoundStream
  readonly #context: Context

  constructor(stream: BoundStream, context: Context) {
    this.where = stream.field.where(stream.args, context)
    this.#readers = stream.field.topic.indexed
    this.#stream = stream
    this.#context = context
  }

  /** Throws what the field's filter throws. */
  has(event: StreamEvent): boolean {
    if (!meets(this.where, event, this.#readers)) return false
    const { filter } = this.#stream.field
    return !filter || filter(event.value, this.#stream.args, this.#context, event)
  }

  /** Whether a client at a position may have a row that is not selected. */
  mayHaveHad(row: Row, vector: Vector): boolean {
    const isExcludedByIndex = row.event !== undefined && !meets(this.where, row.event, this.#readers)
    return mayHaveHad(row, vector, isExcludedByIndex)
  }

  /** Whether the group showed a row, or said that its filter failed on it. */
  showed(event: StreamEvent | undefined): boolean {
    try {
      return event !== undefined && this.has(event)
    } catch {
      return true
    }
  }
}
