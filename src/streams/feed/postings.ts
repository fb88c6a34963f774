import type { StreamEvent } from '../event.ts'
import type { IndexReaders } from '../topic/indexed.ts'
import { ValueLists } from './value-lists.ts'

/** By indexed property, the values of which an event has one. */
export type Wanted = ReadonlyMap<string, ReadonlySet<unknown>>

/** Posting lists that may have to be merged: their events, and others that have been removed. */
export interface Lists {
  readonly lists: readonly (readonly number[])[]
  /** Length of all lists. */
  readonly total: number
}

/** The lists of a property's values. */
interface PropertyLists extends Lists {
  readonly of: ValueLists
  readonly values: ReadonlySet<unknown>
}

/**
 * A merge of so many lists costs no more than to look at every event. Of more, each event that is found costs one step
 * for each list; if there are few events without a value of a list, to look at them costs less.
 */
const MERGED_LISTS = 16

let versions = 0

/**
 * Posting lists of a run of events, of a window or a page: for each indexed property and value, the sequence numbers of
 * the events that have it. A search for a `where` costs what it finds.
 *
 * An event takes 24 bytes for each property where there are few values, and some 90 where each event has its own.
 */
export class Postings {
  readonly #indexed: readonly { readonly read: (event: StreamEvent) => unknown; readonly lists: ValueLists }[]
  readonly #byProperty = new Map<string, ValueLists>()
  /** The values of an event: all of them are read before one is added. */
  readonly #values: unknown[] = []
  #size = 0
  #version = ++versions

  /** `first` is the sequence number of the first event. */
  constructor(indexed: IndexReaders, first = 0) {
    for (const property of indexed.keys()) this.#byProperty.set(property, new ValueLists(first))
    this.#indexed = [...indexed].map(([property, read]) => {
      return { read, lists: this.#byProperty.get(property) as ValueLists }
    })
  }

  /** Number of events. */
  get size(): number {
    return this.#size
  }

  /** Another number after each change, which may replace any list; never that of other postings. */
  get version(): number {
    return this.#version
  }

  /** Number of distinct values of all properties. */
  get values(): number {
    return this.#indexed.reduce((sum, { lists }) => sum + lists.values, 0)
  }

  /** Adds the next event. Returns how many bytes that takes. Throws what reading a value throws, and adds nothing. */
  push(event: StreamEvent): number {
    const indexed = this.#indexed
    for (let i = 0; i < indexed.length; i++) this.#values[i] = indexed[i]?.read(event)
    let bytes = 0
    for (let i = 0; i < indexed.length; i++) {
      bytes += indexed[i]?.lists.push(this.#values[i]) as number
      this.#values[i] = undefined
    }
    this.#size++
    this.#version = ++versions
    return bytes
  }

  /** Removes the oldest event. Returns how many bytes that frees. */
  shift(): number {
    let bytes = 0
    for (const { lists } of this.#indexed) bytes += lists.shift()
    this.#size--
    this.#version = ++versions
    return bytes
  }

  /**
   * The lists that hold every event which has a wanted value of each property, by any of the alternatives: for each
   * alternative those of the property of which the fewest events have such a value. Undefined: to look at every event
   * costs less.
   */
  find(alternatives: readonly Wanted[]): Lists | undefined {
    const found = alternatives.length === 1 ? this.#rarest(alternatives[0] as Wanted) : this.#merged(alternatives)
    return found && found.lists.length * found.total <= MERGED_LISTS * this.#size ? found : undefined
  }

  /** Alternatives often have a value in common, whose list is wanted once. */
  #merged(alternatives: readonly Wanted[]): Lists | undefined {
    const chosen = new Map<ValueLists, Set<unknown>>()
    for (const wanted of alternatives) {
      const rarest = this.#rarest(wanted)
      if (rarest === undefined) return undefined
      const known = chosen.get(rarest.of)
      if (known) for (const value of rarest.values) known.add(value)
      else chosen.set(rarest.of, new Set(rarest.values))
    }
    const lists = [...chosen].flatMap(([byValue, values]) => listsOf(byValue, values))
    return { lists, total: lengthOf(lists) }
  }

  #rarest(wanted: Wanted): PropertyLists | undefined {
    let rarest: PropertyLists | undefined
    for (const [property, values] of wanted) {
      const of = this.#byProperty.get(property)
      if (!of) continue
      const lists = listsOf(of, values)
      const total = lengthOf(lists)
      if (!rarest || total < rarest.total) rarest = { lists, total, of, values }
    }
    return rarest
  }
}

function listsOf(lists: ValueLists, values: Iterable<unknown>): (readonly number[])[] {
  const found: (readonly number[])[] = []
  for (const value of values) {
    const list = lists.of(value)
    if (list) found.push(list)
  }
  return found
}

function lengthOf(lists: readonly (readonly number[])[]): number {
  return lists.reduce((sum, { length }) => sum + length, 0)
}
