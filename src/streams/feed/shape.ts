import type { StreamEvent } from '../event.ts'
import type { Ordered } from '../topic/ordered.ts'
import type { Bounds } from './bounds.ts'
import type { Conjunction, Equality } from './conditions.ts'
import { type Node, nodeAt } from './interest-tree.ts'
import type { Measure } from './measure.ts'

/**
 * Clients choose what their filters name, and each set of names is a shape, which costs every event a walk: some 50 ns.
 * So many cost about as much as to decode a record. More interests use a shape that names a part of what they name.
 */
const MAX_SHAPES = 64

/** What of an interest is looked up: the levels of a tree, and the range below them. The rest is compared. */
export interface Route {
  readonly levels: readonly Equality[]
  readonly bounds: Bounds | undefined
}

/** All interests of which the same values are looked up. */
export interface Shape<T> {
  readonly properties: readonly string[]
  readonly readers: readonly ((event: StreamEvent) => unknown)[]
  readonly ordered: Ordered | undefined
  readonly measure: Measure | undefined
  readonly root: Node<T>
}

export function shapeOf<T>({ levels, bounds }: Route, measure: Measure | undefined): Shape<T> {
  return {
    properties: levels.map(({ property }) => property),
    readers: levels.map(({ read }) => read),
    ordered: bounds?.ordered,
    measure,
    root: nodeAt(0, levels, bounds),
  }
}

/** The whole of the conditions, unless that is one shape too many; then the shape that has the most of them. */
export function routeOf<T>(conjunction: Conjunction, shapes: ReadonlyMap<string, Shape<T>>, names: Names): Route {
  const { equalities, ranges } = conjunction
  // Both ends tell more than one. Of several such, the topic's order says which.
  const bounds = ranges.find(({ isClosed }) => isClosed) ?? ranges[0]
  const whole = { levels: equalities, bounds }
  if (shapes.size < MAX_SHAPES || shapes.has(nameOf(whole, names))) return whole
  // One condition by itself: there are as many such shapes as names.
  let best: Route = equalities.length > 0 ? { levels: equalities.slice(0, 1), bounds: undefined } : whole
  for (const shape of shapes.values()) {
    const route = routeBy(shape, conjunction)
    if (route && lengthOf(route) > lengthOf(best)) best = route
  }
  return best
}

/** Names of the ordered values. */
export type Names = ReadonlyMap<Ordered, string>

/** Index functions may have any name. */
export function nameOf({ levels, bounds }: Route, names: Names): string {
  return JSON.stringify([levels.map(({ property }) => property), bounds && names.get(bounds.ordered)])
}

function routeBy<T>({ properties, ordered }: Shape<T>, { equalities, ranges }: Conjunction): Route | undefined {
  const levels = equalities.filter(({ property }) => properties.includes(property))
  const bounds = ranges.find((each) => each.ordered === ordered)
  if (levels.length < properties.length || (ordered !== undefined && bounds === undefined)) return undefined
  return { levels, bounds }
}

function lengthOf({ levels, bounds }: Route): number {
  return levels.length + (bounds ? 1 : 0)
}
