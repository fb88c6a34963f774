import type { StreamEvent } from '../event.ts'
import type { Lookups } from '../topic/topic.ts'
import type { Selection } from '../topic/where.ts'
import { Conditions } from './conditions.ts'
import type { Lists, Postings, Wanted } from './postings.ts'
import { seek } from './seek.ts'

const NOTHING: Lists = { lists: [], total: 0 }

/**
 * The events of a window or page that may meet a selection, found in its posting lists: those of one indexed property for
 * each alternative, merged. No other event meets it; whether one of these does is still to be checked, by `meets`. An
 * alternative without an indexed value makes every event a candidate.
 */
export class Candidates<V> {
  readonly #conditions: Conditions<V>
  readonly #wanted: readonly Wanted[]
  /** Each alternative asks for an indexed value: where that is indexed, postings make a difference. */
  readonly isNarrow: boolean
  /** That of the postings in which the lists were found. The postings of a page must not be held longer than the page. */
  #version = 0
  /** Undefined: every event. */
  #found: Lists | undefined
  /** Where the last search in each list ended. */
  #places: number[] = []

  /** @throws as `Conditions`. */
  constructor(lookups: Lookups, selection: Selection<V> | Conditions<V> = {}) {
    this.#conditions = Conditions.of(lookups, selection)
    this.#wanted = this.#conditions.alternatives.map(
      ({ equalities }) => new Map(equalities.map(({ property, values }) => [property, values])),
    )
    this.isNarrow = this.#wanted.length > 0 && this.#wanted.every(({ size }) => size > 0)
  }

  /** Whether an event meets the selection. */
  meets(event: StreamEvent<V>): boolean {
    return this.#conditions.meets(event)
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
    if (this.#wanted.length === 0) return NOTHING
    if (!this.isNarrow || !postings) return undefined
    if (postings.version !== this.#version) {
      this.#version = postings.version
      this.#found = postings.find(this.#wanted)
      this.#places = new Array(this.#found?.lists.length ?? 0).fill(0)
    }
    return this.#found
  }
}
