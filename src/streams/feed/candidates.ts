import type { StreamEvent } from '../event.ts'
import type { IndexReaders } from '../topic/indexed.ts'
import type { Where } from '../topic/where.ts'
import { meets, valuesOf } from './interest-index.ts'
import type { Lists, Postings, Wanted } from './postings.ts'
import { seek } from './seek.ts'

/**
 * The events of a window or page that may meet a `where`, found in its posting lists. No other event meets it; whether
 * one of these does is still to be checked, by `meets`, since the lists are those of one property only.
 */
export class Candidates<V> {
  readonly #readers: IndexReaders
  readonly #where: Where<V>
  readonly #wanted: Wanted
  /** That of the postings in which the lists were found. The postings of a page must not be held longer than the page. */
  #version = 0
  /** Undefined: every event. */
  #found: Lists | undefined
  /** Where the last search in each list ended. */
  #places: number[] = []

  constructor(readers: IndexReaders, where: Where<V> = {}) {
    this.#readers = readers
    const wanted = new Map<string, readonly unknown[]>()
    for (const [property, value] of Object.entries(where)) {
      if (value !== undefined) wanted.set(property, valuesOf(value))
    }
    this.#where = where
    this.#wanted = wanted
  }

  /** It depends on a property: where that is indexed, postings make a difference. */
  get isNarrow(): boolean {
    return this.#wanted.size > 0
  }

  /** Whether an event meets the `where`. */
  meets(event: StreamEvent<V>): boolean {
    return meets(this.#where, event, this.#readers)
  }

  /** The first candidate from `seq` on; `end`, if there is none before it. */
  next(postings: Postings | undefined, seq: number, end: number): number {
    const found = this.#findIn(postings)
    if (!found) return Math.min(seq, end)
    let first = end
    for (let i = 0; i < found.lists.length; i++) {
      const list = found.lists[i] as readonly number[]
      const place = seek(list, seq, this.#places[i])
      this.#places[i] = place
      if (place < list.length) first = Math.min(first, list[place] as number)
    }
    return first
  }

  /** The last candidate before `seq`; less than `begin`, if there is none from it on. */
  previous(postings: Postings | undefined, seq: number, begin: number): number {
    const found = this.#findIn(postings)
    if (!found) return seq - 1
    let last = begin - 1
    for (let i = 0; i < found.lists.length; i++) {
      const list = found.lists[i] as readonly number[]
      const place = seek(list, seq, this.#places[i])
      this.#places[i] = place
      if (place > 0) last = Math.max(last, list[place - 1] as number)
    }
    return last
  }

  /** The share of events that are candidates: an estimate, from 0 to 1. */
  share(postings: Postings): number {
    const found = this.#findIn(postings)
    return found ? Math.min(1, found.total / Math.max(1, postings.size)) : 1
  }

  /** The lists as they are now: an event that comes or goes may replace them. */
  #findIn(postings: Postings | undefined): Lists | undefined {
    if (this.#wanted.size === 0 || !postings) return undefined
    if (postings.version !== this.#version) {
      this.#version = postings.version
      this.#found = postings.find(this.#wanted)
      this.#places = new Array(this.#found?.lists.length ?? 0).fill(0)
    }
    return this.#found
  }
}
