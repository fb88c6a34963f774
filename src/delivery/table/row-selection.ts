import type { Select } from '../../schema/filter/select.ts'
import type { Vector } from '../../streams/cursor/vector.ts'
import type { StreamEvent } from '../../streams/event.ts'
import { Conditions } from '../../streams/feed/conditions.ts'
import { mayHaveHad, type Row } from '../../streams/table/row.ts'
import { mayTell } from '../../streams/table/row-bounds.ts'
import type { Lookups } from '../../streams/topic/topic.ts'
import type { Selection } from '../../streams/topic/where.ts'

/** Which rows of a table a group shows. */
export class RowSelection {
  /** What is looked up: no other row is selected. */
  readonly lookup: Selection<unknown>
  readonly #conditions: Conditions<unknown>
  readonly #test: Select['test']
  readonly #lookups: Lookups
  readonly #bounds: Select['bounds']

  constructor(lookups: Lookups, { selection, test, bounds }: Select) {
    this.#lookups = lookups
    this.#bounds = bounds
    this.lookup = selection
    this.#conditions = new Conditions(lookups, selection)
    this.#test = test
  }

  /** Whether there are rows of which it tells nothing, not even that they were removed. */
  get isBound(): boolean {
    return this.#bounds !== undefined
  }

  /** Throws what the field's filter throws. */
  has(event: StreamEvent): boolean {
    return this.#conditions.meets(event) && (!this.#test || this.#test(event))
  }

  /** Whether a client at a position may have a row that is not selected; from the start, without a position. */
  mayHaveHad(row: Row, vector: Vector | undefined): boolean {
    if (!mayTell(row, vector ?? [], this.#bounds, this.#lookups)) return false
    return !vector || mayHaveHad(row, vector, row.event !== undefined && !this.#conditions.meets(row.event))
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
