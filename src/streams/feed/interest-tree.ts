import type { StreamEvent } from '../event.ts'
import type { Bounds } from './bounds.ts'
import type { Equality } from './conditions.ts'
import { IntervalTree } from './interval-tree.ts'
import type { Measure } from './measure.ts'

/** An interest in one of its alternatives. */
export interface Entry<T> {
  readonly interest: T
  /** The range that is looked up. */
  readonly bounds: Bounds | undefined
  /** What is compared with what was found; undefined: nothing. */
  readonly rest: Rest | undefined
  /** Shared by the alternatives of an interest; undefined if there is one. */
  readonly once: Once | undefined
}

export interface Rest {
  readonly ranges: readonly { readonly bounds: Bounds; readonly measure: Measure }[]
  readonly equalities: readonly Equality[]
}

/** The number of the last event that one of the alternatives took. */
export interface Once {
  event: number
}

export type Branch<T> = Map<unknown, Node<T>>
/** Maps, one level for each indexed value, and below them the entries: a set, or with a range an interval tree. */
export type Node<T> = Branch<T> | Set<Entry<T>> | IntervalTree<Entry<T>>

/** An empty node for the conditions from this level on. */
export function nodeAt<T>(level: number, equalities: readonly Equality[], bounds: Bounds | undefined): Node<T> {
  if (level < equalities.length) return new Map()
  return bounds ? new IntervalTree() : new Set()
}

export function insert<T>(node: Node<T>, level: number, equalities: readonly Equality[], entry: Entry<T>): void {
  const { bounds } = entry
  if (node instanceof Set) node.add(entry)
  else if (node instanceof IntervalTree) node.add((bounds as Bounds).low, (bounds as Bounds).high, entry)
  else {
    for (const value of (equalities[level] as Equality).values) {
      let child = node.get(value)
      if (!child) {
        child = nodeAt(level + 1, equalities, bounds)
        node.set(value, child)
      }
      insert(child, level + 1, equalities, entry)
    }
  }
}

/** Removes an entry and the branches that become empty. True: this node is empty. */
export function remove<T>(node: Node<T>, level: number, equalities: readonly Equality[], entry: Entry<T>): boolean {
  const { bounds } = entry
  if (node instanceof Set) node.delete(entry)
  else if (node instanceof IntervalTree) node.delete((bounds as Bounds).low, (bounds as Bounds).high, entry)
  else {
    for (const value of (equalities[level] as Equality).values) {
      const child = node.get(value)
      if (child && remove(child, level + 1, equalities, entry)) node.delete(value)
    }
  }
  return node.size === 0
}

/** Number of maps, sets and intervals. */
export function count<T>(node: Node<T>): number {
  if (node instanceof IntervalTree) return node.size
  let sum = 1
  if (node instanceof Map) for (const child of node.values()) sum += count(child)
  return sum
}

/** Whether the event meets what was not looked up, and no other alternative of the interest took it. */
export function takes<T>({ rest, once }: Entry<T>, event: StreamEvent, number: number): boolean {
  if (rest !== undefined && !meetsRest(rest, event, number)) return false
  if (once === undefined) return true
  if (once.event === number) return false
  once.event = number
  return true
}

function meetsRest({ ranges, equalities }: Rest, event: StreamEvent, number: number): boolean {
  for (const { bounds, measure } of ranges) if (!bounds.admits(measure.of(event, number), event)) return false
  for (const { values, read } of equalities) if (!values.has(read(event))) return false
  return true
}
