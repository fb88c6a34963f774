import { decodeCursor, type Fingerprint } from '../cursor/cursor.ts'
import { UNKNOWN } from '../cursor/vector.ts'
import type { Gap } from '../event.ts'
import type { Page } from '../feed/pages.ts'
import type { Position } from '../feed/position.ts'
import type { Table } from './table.ts'

/** Judges whether a client that comes with a position can go on from there, or has to begin again. */
export class Judge {
  readonly position: Position
  readonly #table: Table
  /** An event that was passed before the position, if its cursor names one. */
  readonly #fingerprint: Fingerprint | undefined
  #isVoid = false

  constructor(table: Table, position: Position, cursor: string | undefined) {
    this.position = position
    this.#table = table
    this.#fingerprint = cursor === undefined ? undefined : decodeCursor(table.feed.topic.name, cursor).fingerprint
  }

  /**
   * `void`: the position is of another log, or of no rows, or so old that removals may have been forgotten since.
   * `fits`: it is not, as far as is known: see `isOfAnotherLog`. A promise: the log is read; ask again then.
   */
  judge(isWanted: () => boolean): 'void' | 'fits' | Promise<void> {
    const { position } = this
    if (this.#isVoid || position.vector.every((offset) => offset === UNKNOWN)) return 'void'
    if (this.#table.isTooOld(position.vector, this.#fingerprint?.timestamp)) return 'void'
    if (!position.isStale && !position.isUnchecked) return 'fits'
    const next = position.next()
    if (next.kind === 'gaps') return 'void'
    const { partition, offset } = this.#fingerprint ?? {}
    if (next.kind !== 'log' || !position.isUnchecked || next.partition !== partition || next.offset !== offset)
      return 'fits'
    const found = this.#table.feed.page(next.partition, next.offset, isWanted)
    if (found instanceof Promise) return found.then((settled) => this.#compare(settled))
    this.#compare(found)
    return this.judge(isWanted)
  }

  /** The event that the cursor was made after is compared: another log has another one there. */
  #compare(found: Page | Gap | undefined): void {
    if (!found) return
    if (found.kind === 'page') this.position.check(found)
    // It is gone, and nothing can be said of what came after it.
    if (found.kind === 'gap' || this.position.isStale) this.#isVoid = true
  }
}

/** For a position whose event could not be compared before, since this instance had not read as far. */
export function isOfAnotherLog(position: Position): boolean {
  return (position.isStale || position.isUnchecked) && position.next().kind === 'gaps'
}
