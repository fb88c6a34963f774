import type { StreamEvent } from '../event.ts'
import type { Ordered } from '../topic/ordered.ts'
import type { Lookups } from '../topic/topic.ts'
import type { Selection } from '../topic/where.ts'
import type { Bounds } from './bounds.ts'
import { Conditions, type Conjunction } from './conditions.ts'
import {
  type Branch,
  count,
  type Entry,
  insert,
  type Node,
  nodeAt,
  type Once,
  type Rest,
  remove,
  takes,
} from './interest-tree.ts'
import type { IntervalTree } from './interval-tree.ts'
import { Measure } from './measure.ts'

type Reader = (event: StreamEvent) => unknown

interface Shape<T> {
  readonly readers: readonly Reader[]
  /** Of the range that is looked up. */
  readonly measure: Measure | undefined
  readonly root: Node<T>
}

/**
 * Index of interests by conditions on indexed and ordered values. Interests that name the same set of them form a
 * *shape*. Each shape is a tree of maps with one level for each indexed value; below it are the interests, or, if they
 * name a range, an interval tree of these. An event costs one walk for each shape (there are few) plus the interests
 * that it matches, however many others there are.
 *
 * Of several ranges of an interest one is looked up, and the others are compared with what was found. An interest in one
 * of several alternatives is entered once for each.
 */
export class InterestIndex<V, T> {
  readonly #lookups: Lookups
  readonly #measures: ReadonlyMap<Ordered, Measure>
  readonly #shapes = new Map<string, Shape<T>>()
  #size = 0
  /** Number of events so far: what is computed for one is not valid for the next. */
  #events = 0

  constructor(lookups: Lookups) {
    this.#lookups = lookups
    this.#measures = new Map([...lookups.ordered.values()].map((ordered) => [ordered, new Measure(ordered)]))
  }

  get size(): number {
    return this.#size
  }

  /** Number of maps, sets and intervals of the trees. It is 0 again after the last interest is removed. */
  get branches(): number {
    let sum = 0
    for (const { root } of this.#shapes.values()) sum += count(root)
    return sum
  }

  /**
   * Adds an interest and returns how to remove it, which may be called more than once.
   * @throws SluiceError `BAD_USER_INPUT` for a selection with too many combinations of values.
   * @throws TypeError if it names what is not indexed.
   */
  add(selection: Selection<V>, interest: T): () => void {
    const { alternatives } = new Conditions(this.#lookups, selection)
    const once = alternatives.length > 1 ? { event: 0 } : undefined
    const removals = alternatives.map((alternative) => this.#addTo(alternative, interest, once))
    this.#size++
    let present = true
    return () => {
      if (!present) return
      present = false
      this.#size--
      for (const remove of removals) remove()
    }
  }

  #addTo(conjunction: Conjunction, interest: T, once: Once | undefined): () => void {
    const { equalities, ranges } = conjunction
    const bounds = ranges.find(({ isClosed }) => isClosed) ?? ranges[0]
    // Index functions may have any name.
    const name = JSON.stringify([equalities.map(({ property }) => property), bounds && this.#nameOf(bounds.ordered)])
    let shape = this.#shapes.get(name)
    if (!shape) {
      const measure = bounds && this.#measures.get(bounds.ordered)
      shape = { readers: equalities.map(({ read }) => read), measure, root: nodeAt(0, equalities, bounds) }
      this.#shapes.set(name, shape)
    }
    const entry = { interest, bounds, rest: this.#restOf(conjunction, bounds), once }
    const { root } = shape
    insert(root, 0, equalities, entry)
    return () => {
      if (remove(root, 0, equalities, entry)) this.#shapes.delete(name)
    }
  }

  #nameOf(wanted: Ordered): string | undefined {
    for (const [name, ordered] of this.#lookups.ordered) if (ordered === wanted) return name
    return undefined
  }

  #restOf({ unindexed, ranges }: Conjunction, bounds: Bounds | undefined): Rest | undefined {
    const others = ranges.filter((each) => each !== bounds)
    if (others.length === 0 && unindexed.length === 0) return undefined
    const measured = others.map((each) => ({ bounds: each, measure: this.#measures.get(each.ordered) as Measure }))
    return { ranges: measured, equalities: unindexed }
  }

  /** Calls `visit` once for each interest whose selection the event meets. */
  match(event: StreamEvent<V>, visit: (interest: T) => void): void {
    const number = ++this.#events
    for (const { readers, measure, root } of this.#shapes.values()) {
      let node: Node<T> | undefined = root
      for (let level = 0; node !== undefined && level < readers.length; level++) {
        node = (node as Branch<T>).get((readers[level] as Reader)(event))
      }
      if (node === undefined) continue
      if (measure !== undefined) this.#matchRanges(node as IntervalTree<Entry<T>>, measure, event, number, visit)
      else for (const entry of node as Set<Entry<T>>) if (takes(entry, event, number)) visit(entry.interest)
    }
  }

  #matchRanges(
    tree: IntervalTree<Entry<T>>,
    measure: Measure,
    event: StreamEvent,
    number: number,
    visit: (interest: T) => void,
  ): void {
    const place = measure.of(event, number)
    if (Number.isNaN(place)) return
    for (const interval of tree.find(place)) {
      const isOnEnd = place === interval.low || place === interval.high
      const { first, others } = interval
      if (first && isIn(first, isOnEnd, place, event) && takes(first, event, number)) visit(first.interest)
      if (others === undefined) continue
      for (const entry of others) {
        if (isIn(entry, isOnEnd, place, event) && takes(entry, event, number)) visit(entry.interest)
      }
    }
  }
}

/** Between the ends of its interval an event is in the range: see `Bounds`. */
function isIn<T>({ bounds }: Entry<T>, isOnEnd: boolean, place: number, event: StreamEvent): boolean {
  return !isOnEnd || (bounds as Bounds).admits(place, event)
}
