import { SluiceError } from '../../errors/codes.ts'
import type { Where } from '../topic/where.ts'

/**
 * Index of interests by equality on indexed properties. Interests that name the same set of properties form a *shape*.
 * Each shape is a tree of maps with one level for each property. An event costs one walk for each shape (there are few)
 * plus the interests that it matches, however many others there are.
 */
export class InterestIndex<V, T> {
  readonly #shapes = new Map<string, Shape<V, T>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Number of maps and sets of the trees. It is 0 again after the last interest is removed. */
  get branches(): number {
    let sum = 0
    for (const { root } of this.#shapes.values()) sum += count(root)
    return sum
  }

  /**
   * Adds an interest and returns how to remove it, which may be called more than once.
   * @throws SluiceError `BAD_USER_INPUT` if `where` has more than MAX_PATHS combinations of values.
   */
  add(where: Where<V>, interest: T): () => void {
    const entries = Object.entries(where).filter(([, wanted]) => wanted !== undefined) as [string, unknown][]
    entries.sort(([a], [b]) => (a < b ? -1 : 1))
    const properties = entries.map(([property]) => property)
    const levels = entries.map(([, wanted]) => valuesOf(wanted))
    const paths = levels.reduce((product, values) => product * values.length, 1)
    if (paths > MAX_PATHS)
      throw new SluiceError('BAD_USER_INPUT', `The filter asks for more than ${MAX_PATHS} combinations`)

    this.#size++
    let present = true
    // An empty `in` list: no value meets that.
    if (paths === 0) {
      return () => {
        if (present) this.#size--
        present = false
      }
    }

    const name = properties.join()
    let shape = this.#shapes.get(name)
    if (!shape) {
      shape = { properties: properties as (keyof V)[], root: properties.length === 0 ? new Set() : new Map() }
      this.#shapes.set(name, shape)
    }
    insert(shape.root, levels, 0, interest)
    return () => {
      if (!present) return
      present = false
      this.#size--
      if (remove(shape.root, levels, 0, interest)) this.#shapes.delete(name)
    }
  }

  /** Calls `visit` once for each interest whose `where` the value meets. */
  match(value: V, visit: (interest: T) => void): void {
    for (const { properties, root } of this.#shapes.values()) {
      let node: Node<T> | undefined = root
      for (let level = 0; node !== undefined && level < properties.length; level++) {
        node = (node as Branch<T>).get(propertyOf(value, properties[level] as keyof V))
      }
      if (node !== undefined) for (const interest of node as Set<T>) visit(interest)
    }
  }
}

/** Whether a value meets a `where`: the predicate that the index evaluates for all interests at once. */
export function meets<V>(where: Where<V>, value: V): boolean {
  for (const property in where) {
    const wanted: unknown = where[property as keyof typeof where]
    if (wanted !== undefined && !valuesOf(wanted).includes(propertyOf(value, property as unknown as keyof V)))
      return false
  }
  return true
}

/** An event's value may be null, if its schema permits that. */
function propertyOf<V>(value: V, property: keyof V): unknown {
  return value === null || value === undefined ? undefined : value[property]
}

/** Limit of combinations: enough for three lists of ten. Each combination is an entry in the tree. */
const MAX_PATHS = 1000

interface Shape<V, T> {
  readonly properties: readonly (keyof V)[]
  readonly root: Node<T>
}

type Branch<T> = Map<unknown, Node<T>>
type Node<T> = Branch<T> | Set<T>

function valuesOf(wanted: unknown): readonly unknown[] {
  if (typeof wanted === 'object' && wanted !== null && 'in' in wanted) {
    return [...new Set((wanted as { in: readonly unknown[] }).in)]
  }
  return [wanted]
}

function insert<T>(node: Node<T>, levels: readonly (readonly unknown[])[], level: number, interest: T): void {
  if (node instanceof Set) {
    node.add(interest)
    return
  }
  for (const value of levels[level] as readonly unknown[]) {
    let child = node.get(value)
    if (!child) {
      child = level === levels.length - 1 ? new Set() : new Map()
      node.set(value, child)
    }
    insert(child, levels, level + 1, interest)
  }
}

/** Removes an interest and the branches that become empty. True: this node is empty. */
function remove<T>(node: Node<T>, levels: readonly (readonly unknown[])[], level: number, interest: T): boolean {
  if (node instanceof Set) {
    node.delete(interest)
  } else {
    for (const value of levels[level] as readonly unknown[]) {
      const child = node.get(value)
      if (child && remove(child, levels, level + 1, interest)) node.delete(value)
    }
  }
  return node.size === 0
}

function count<T>(node: Node<T>): number {
  let sum = 1
  if (node instanceof Map) for (const child of node.values()) sum += count(child)
  return sum
}
