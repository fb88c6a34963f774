import type { Vector } from '../cursor/vector.ts'
import type { Row } from './row.ts'

let captures = 0

/** A table at one moment: references to its rows, which are never modified. */
export class Capture<V = unknown> {
  /** Number of this capture in this process. */
  readonly id = captures++
  /** The rows, without marks, in the order of changes. Empty, once it has been revoked. */
  rows: readonly Row<V>[]
  /** Number of the first change that it does not have. */
  readonly seq: number
  /** The position of its moment, */
  readonly vector: Vector
  /** and as a cursor. */
  readonly cursor: string
  /** Number of its readers. */
  users = 0
  isRevoked = false

  constructor(rows: readonly Row<V>[], seq: number, vector: Vector, cursor: string) {
    this.rows = rows
    this.seq = seq
    this.vector = [...vector]
    this.cursor = cursor
  }

  /** Lets go of the rows: it is one too many. Its readers go on with the changes. */
  revoke(): void {
    this.isRevoked = true
    this.rows = []
  }
}

const LIMITS = {
  /** Captures that are read at once. Each may hold as many former rows as the table has. */
  count: 4,
  /** A capture is shared by readers that begin within this time, in ms; */
  freshMs: 1_000,
  /** and by later ones where little has changed since: so many rows, and this part of all. */
  freshChanges: 256,
  freshShare: 1 / 16,
}

/** The captures of one table. Few are alive at a time: the newest, and those that are read. */
export class Captures<V> {
  readonly limits = { ...LIMITS }
  /** Number of captures that were revoked since the start while they were read. */
  revoked = 0
  #all: Capture<V>[] = []
  #newestAt = 0

  /** Lets go of the newest capture, if nobody reads it and nobody is going to. */
  expire(seq: number, now: number): void {
    const newest = this.#all.at(-1)
    if (newest?.users === 0 && !this.fresh(seq, now)) this.#all.pop()
  }

  /** The newest capture, if it is fresh. */
  fresh(seq: number, now: number): Capture<V> | undefined {
    const newest = this.#all.at(-1)
    if (!newest) return undefined
    const { freshMs, freshChanges, freshShare } = this.limits
    const isFresh = now - this.#newestAt < freshMs || seq - newest.seq <= freshChanges + freshShare * newest.rows.length
    return isFresh ? newest : undefined
  }

  add(capture: Capture<V>, now: number): void {
    this.#all = this.#all.filter(({ users }) => users > 0)
    this.#all.push(capture)
    this.#newestAt = now
    if (this.#all.length <= this.limits.count) return
    this.#all.shift()?.revoke()
    this.revoked++
  }

  /** A reader has ended. */
  left(capture: Capture<V>): void {
    capture.users--
    if (capture.users === 0 && capture !== this.#all.at(-1)) this.#all = this.#all.filter((each) => each !== capture)
  }

  /** The rows are void. */
  clear(): void {
    for (const capture of this.#all) capture.revoke()
    this.#all = []
  }
}
