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
  type Once,
  type Rest,
  remove,
  takes,
} from './interest-tree.ts'
import type { IntervalTree } from './interval-tree.ts'
import { Measure } from './measure.ts'
import { type Names, nameOf, type Route, routeOf, type Shape, shapeOf } from './shape.ts'

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
  readonly #names: Names
  readonly #measures: ReadonlyMap<Ordered, Measure>
  readonly #shapes = new Map<string, Shape<T>>()
  #size = 0
  /** Number of events so far: what is computed for one is not valid for the next. */
  #events = 0

  constructor(lookups: Lookups) {
    this.#lookups = lookups
    this.#names = new Map([...lookups.ordered].map(([name, ordered]) => [ordered, name]))
    this.#measures = new Map([...lookups.ordered.values()].map((ordered) => [ordered, new Measure(ordered)]))
  }

  get size(): number {
    return this.#size
  }

  /** Number of shapes. */
  get shapes(): number {
    return this.#shapes.size
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
  add(selection: Selection<V> | Conditions<V>, interest: T): () => void {
    const { alternatives } = Conditions.of(this.#lookups, selection)
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
    const route = routeOf(conjunction, this.#shapes, this.#names)
    const { levels, bounds } = route
    const name = nameOf(route, this.#names)
    let shape = this.#shapes.get(name)
    if (!shape) {
      shape = shapeOf(route, bounds && this.#measures.get(bounds.ordered))
      this.#shapes.set(name, shape)
    }
    const entry = { interest, bounds, rest: this.#restOf(conjunction, route), once }
    const { root } = shape
    insert(root, 0, levels, entry)
    return () => {
      if (remove(root, 0, levels, entry)) this.#shapes.delete(name)
    }
  }

  /** What is not looked up. */
  #restOf({ equalities, unindexed, ranges }: Conjunction, { levels, bounds }: Route): Rest | undefined {
    const others = [...equalities.filter((each) => !levels.includes(each)), ...unindexed]
    const compared = ranges.filter((each) => each !== bounds)
    if (others.length === 0 && compared.length === 0) return undefined
    const measured = compared.map((each) => ({ bounds: each, measure: this.#measures.get(each.ordered) as Measure }))
    return { ranges: measured, equalities: others }
  }

  /** Calls `visit` once for each interest whose selection the event meets. */
  match(event: StreamEvent<V>, visit: (interest: T) => void): void {
    const number = ++this.#events
    for (const { readers, measure, root } of this.#shapes.values()) {
      let node: Node<T> | undefined = root
      for (let level = 0; node !== undefined && level < readers.length; level++) {
        node = (node as Branch<T>).get(readers[level]?.(event))
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
