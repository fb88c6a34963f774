import { SluiceError } from '../../errors/codes.ts'
import type { StreamEvent } from '../event.ts'
import type { IndexReaders } from '../topic/indexed.ts'
import type { Where } from '../topic/where.ts'

/**
 * Index of interests by equality on indexed values. Interests that name the same set of them form a *shape*. Each shape
 * is a tree of maps with one level for each name. An event costs one walk for each shape (there are few) plus the
 * interests that it matches, however many others there are.
 */
export class InterestIndex<V, T> {
  readonly #readers: IndexReaders
  readonly #shapes = new Map<string, Shape<T>>()
  #size = 0

  constructor(readers: IndexReaders) {
    this.#readers = readers
  }

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
   * @throws TypeError if it names what is not indexed.
   */
  add(where: Where<V>, interest: T): () => void {
    const entries = Object.entries(where).filter(([, wanted]) => wanted !== undefined) as [string, unknown][]
    entries.sort(([a], [b]) => (a < b ? -1 : 1))
    const properties = entries.map(([property]) => property)
    const readers = properties.map((property) => readerOf(this.#readers, property))
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

    // Index functions may have any name.
    const name = JSON.stringify(properties)
    let shape = this.#shapes.get(name)
    if (!shape) {
      shape = { readers, root: properties.length === 0 ? new Set() : new Map() }
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

  /** Calls `visit` once for each interest whose `where` the event meets. */
  match(event: StreamEvent<V>, visit: (interest: T) => void): void {
    for (const { readers, root } of this.#shapes.values()) {
      let node: Node<T> | undefined = root
      for (let level = 0; node !== undefined && level < readers.length; level++) {
        node = (node as Branch<T>).get((readers[level] as Reader)(event))
      }
      if (node !== undefined) for (const interest of node as Set<T>) visit(interest)
    }
  }
}

/**
 * Whether an event meets a `where`: the predicate that the index evaluates for all interests at once.
 * @throws TypeError if it names what is not indexed.
 */
export function meets<V>(where: Where<V>, event: StreamEvent<V>, readers: IndexReaders): boolean {
  for (const property in where) {
    const wanted: unknown = where[property as keyof typeof where]
    if (wanted !== undefined && !valuesOf(wanted).includes(readerOf(readers, property)(event))) return false
  }
  return true
}

type Reader = (event: StreamEvent) => unknown

function readerOf(readers: IndexReaders, property: string): Reader {
  const reader = readers.get(property)
  if (reader) return reader
  throw new TypeError(`The topic is not indexed by "${property}"`)
}

/** Limit of combinations: enough for three lists of ten. Each combination is an entry in the tree. */
const MAX_PATHS = 1000

interface Shape<T> {
  readonly readers: readonly Reader[]
  readonly root: Node<T>
}

type Branch<T> = Map<unknown, Node<T>>
type Node<T> = Branch<T> | Set<T>

/** The values of which a condition wants one. */
export function valuesOf(wanted: unknown): readonly unknown[] {
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
