import type { OrderKind } from '../topic/ordered.ts'
import type { Condition, Node } from './node.ts'
import type { Interval } from './range.ts'
import { listedValues, spanOf } from './values.ts'
import { intersect, isSayable, type Names, type Wanted, wantedKey } from './wanted.ts'

/** What is looked up for one alternative, by the names of a `where`. Empty: every event. */
export type Lookup = ReadonlyMap<string, Wanted>

/** Where the events that meet a filter are looked for. */
export interface Found {
  /** All events that meet it are in one of them. */
  readonly alternatives: readonly Lookup[]
  /** The parts of the filter that are to be tested of an event that was found; none: the lookup says it all. */
  readonly rest: readonly Node[]
}

/** Each is looked up by itself. A filter of more stays a predicate. */
const MAX_ALTERNATIVES = 32
/** The limit of the index for one subscription, which refuses more. */
const MAX_PATHS = 1000

const EVERYTHING: Lookup = new Map()

/**
 * Finds what a topic can look up of a conjunction. `given` are the alternatives of the field's definition: every lookup
 * is within one of these.
 */
export function lookUp(parts: readonly Node[], given: readonly Lookup[], names: Names): Found {
  const rest = new Set(parts)
  let alternatives = given
  const found = parts.map((part) => ({ part, ...findOf(part, names) }))
  // A long list probably is of a property with many values, of which each finds few events.
  for (const one of found.toSorted((a, b) => pathsOf(b.alternatives) - pathsOf(a.alternatives))) {
    if (one.alternatives.some(isEverything)) continue
    const product = productOf(alternatives, one.alternatives, names)
    if (!isWithinBounds(product.alternatives)) continue
    alternatives = product.alternatives
    if (one.isExact && product.isExact) rest.delete(one.part)
  }
  return { alternatives: distinct(alternatives), rest: [...rest] }
}

interface Part {
  readonly alternatives: readonly Lookup[]
  /** What is found needs no test. */
  readonly isExact: boolean
}

const UNKNOWN: Part = { alternatives: [EVERYTHING], isExact: false }

function findOf(node: Node, names: Names): Part {
  if (node.kind === 'condition') return findCondition(node, names)
  if (node.kind === 'all') {
    const { alternatives, rest } = lookUp(node.of, [EVERYTHING], names)
    return { alternatives, isExact: rest.length === 0 }
  }
  const parts = node.of.map((part) => findOf(part, names))
  const alternatives = distinct(parts.flatMap((part) => part.alternatives))
  if (alternatives.some(isEverything) || !isWithinBounds(alternatives)) return UNKNOWN
  return { alternatives, isExact: parts.every(({ isExact }) => isExact) }
}

function findCondition({ field, operation, isNegated }: Condition, names: Names): Part {
  const { kind, isList, properties } = field
  const [name] = properties ?? []
  if (name === undefined || properties?.length !== 1 || isList || isNegated) return UNKNOWN
  const property = names.ordered.get(name)
  // A property may be of another kind than the field: a number that is shown as a decimal.
  const order = property?.property === name && property.kind === kind ? property.kind : undefined
  if (operation.op === 'range') return order ? within(name, order, operation) : UNKNOWN
  if (operation.op !== 'in') return UNKNOWN
  const values = names.isIndexedByProperty && names.indexed.has(name) ? listedValues(kind, operation) : undefined
  if (values) return { alternatives: [new Map([[name, { kind: 'values', values }]])], isExact: true }
  if (!order || operation.hasNull) return UNKNOWN
  const span = within(name, order, spanOf(order, operation.values))
  return { ...span, isExact: span.isExact && operation.values.size === 1 }
}

/** The index compares what lies on a bound exactly: what is found in a range needs no test. */
function within(name: string, order: OrderKind, interval: Interval): Part {
  return { alternatives: [new Map([[name, { kind: 'range', order, interval }]])], isExact: isSayable(order, interval) }
}

function productOf(given: readonly Lookup[], part: readonly Lookup[], names: Names): Part {
  const alternatives: Lookup[] = []
  let isExact = true
  for (const a of given) {
    for (const b of part) {
      const both = new Map(a)
      let isMet = true
      for (const [name, wanted] of b) {
        const other = a.get(name)
        const common = other ? intersect(other, wanted, name, names) : wanted
        if (common === other) isExact = false
        if (common) both.set(name, common)
        else isMet = false
      }
      if (isMet) alternatives.push(both)
    }
  }
  return { alternatives, isExact }
}

function isWithinBounds(alternatives: readonly Lookup[]): boolean {
  return alternatives.length <= MAX_ALTERNATIVES && pathsOf(alternatives) <= MAX_PATHS
}

/** Combinations of values. */
function pathsOf(alternatives: readonly Lookup[]): number {
  let paths = 0
  for (const lookup of alternatives) {
    let combinations = 1
    for (const wanted of lookup.values()) if (wanted.kind === 'values') combinations *= wanted.values.size
    paths += combinations
  }
  return paths
}

function isEverything(lookup: Lookup): boolean {
  return lookup.size === 0
}

function distinct(alternatives: readonly Lookup[]): readonly Lookup[] {
  if (alternatives.length <= 1) return alternatives
  return [...new Map(alternatives.map((lookup) => [keyOf(lookup), lookup])).values()]
}

function keyOf(lookup: Lookup): string {
  return JSON.stringify(Array.from(lookup, ([name, wanted]) => [name, wantedKey(wanted)]).sort())
}
