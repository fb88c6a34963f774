import type { Select } from '../../schema/filter/select.ts'
import type { Vector } from '../../streams/cursor/vector.ts'
import type { StreamEvent } from '../../streams/event.ts'
import { Conditions } from '../../streams/feed/conditions.ts'
import { mayHaveHad, type Row } from '../../streams/table/row.ts'
import type { Lookups } from '../../streams/topic/topic.ts'
import type { Selection } from '../../streams/topic/where.ts'

/** Which rows of a table a group shows. */
export class RowSelection {
  /** What is looked up: no other row is selected. */
  readonly lookup: Selection<unknown>
  readonly #conditions: Conditions<unknown>
  readonly #test: Select['test']

  constructor(lookups: Lookups, { selection, test }: Select) {
    this.lookup = selection
    this.#conditions = new Conditions(lookups, selection)
    this.#test = test
  }

  /** Throws what the field's filter throws. */
  has(event: StreamEvent): boolean {
    return this.#conditions.meets(event) && (!this.#test || this.#test(event))
  }

  /** Whether a client at a position may have a row that is not selected. */
  mayHaveHad(row: Row, vector: Vector): boolean {
    return mayHaveHad(row, vector, row.event !== undefined && !this.#conditions.meets(row.event))
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
