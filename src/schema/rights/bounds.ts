import { SluiceError } from '../../errors/codes.ts'
import type { StreamEvent } from '../../streams/event.ts'
import { isRange } from '../../streams/feed/bounds.ts'
import { MAX_COMBINATIONS } from '../../streams/feed/conditions.ts'
import type { Filter } from '../../streams/filter/filter.ts'
import { listedValues } from '../../streams/filter/values.ts'
import type { Topic } from '../../streams/topic/topic.ts'
import type { Selection, Where } from '../../streams/topic/where.ts'
import type { Bounds } from '../context.ts'
import { argumentWith, isOutside, namesOutside, wantedValues } from './named-values.ts'

/** A bound of an audience, as it applies to a topic. */
export interface TopicBound {
  /** Of the topic's index. */
  readonly property: string
  readonly values: ReadonlySet<string>
  readonly read: (event: StreamEvent) => unknown
  /** Whether a value of the property is one of those. */
  readonly admits: (value: unknown) => boolean
}

/** What a selection was made of. */
export interface Selected {
  readonly topic: Topic
  readonly where: Selection<unknown>
  /** The client's. */
  readonly filter: Filter
  /** The arguments that `where` was made of. Undefined: whoever wrote it has named its values. */
  readonly args?: Readonly<Record<string, unknown>> | undefined
}

export interface Bounded {
  /** Within the bounds, as far as these can be looked up; the rest is for `test`. */
  readonly where: Selection<unknown>
  /** The rest of the bounds. It is asked before any other test: what these throw is told. It does not throw. */
  readonly test: ((event: StreamEvent) => boolean) | undefined
}

/**
 * The bounds that hold for a topic.
 * @throws SluiceError `FORBIDDEN` for a topic that is not indexed by a property of the bounds, unless its definition says
 * that it is free of it; and for a bound without values, by which nothing may be read.
 */
export function boundsOf(topic: Topic, bounds: Bounds): readonly TopicBound[] {
  let ofTopics = known.get(bounds)
  if (!ofTopics) {
    ofTopics = new WeakMap()
    known.set(bounds, ofTopics)
  }
  let found = ofTopics.get(topic)
  if (!found) {
    found = topicBounds(topic, bounds)
    ofTopics.set(topic, found)
  }
  return found
}

/** Bounds are canonical, and may have thousands of values. */
const known = new WeakMap<Bounds, WeakMap<Topic, readonly TopicBound[]>>()

function topicBounds({ name, indexed, unbound }: Topic, bounds: Bounds): readonly TopicBound[] {
  return Object.entries(bounds).flatMap(([property, values]) => {
    if (unbound.includes(property)) return []
    const read = indexed.get(property)
    if (!read) {
      throw new SluiceError(
        'FORBIDDEN',
        `These credentials are bound by "${property}", and the events of "${name}" are not told apart by it`,
      )
    }
    if (values.length === 0) {
      throw new SluiceError('FORBIDDEN', `These credentials are bound to no value of "${property}"`)
    }
    const admitted = new Set(values)
    return [{ property, values: admitted, read, admits: (value: unknown) => !isOutside(admitted, value) }]
  })
}

/**
 * A selection within bounds.
 * @throws SluiceError `FORBIDDEN` where an argument, or the filter, asks for a value outside of them by name;
 * `BAD_USER_INPUT` where the bounds have more values than one selection may have, and none of them are named.
 */
export function boundSelection(bounds: readonly TopicBound[], { topic, where, filter, args }: Selected): Bounded {
  // The values of functions have no names that a filter could use.
  const named = topic.isIndexedByProperty ? filter : NO_FILTER
  for (const { property, values } of bounds) {
    if (namesOutside(named, property, values)) throw outside('where', property)
  }
  const alternatives: readonly Where<unknown>[] = Array.isArray(where) ? where : [where as Where<unknown>]
  const room = Math.floor(MAX_COMBINATIONS / Math.max(1, alternatives.length))
  const tested = new Set<TopicBound>()
  const bounded = alternatives.map((one) => {
    const own = { ...one } as Record<string, unknown>
    const added: Added[] = []
    for (const bound of bounds) {
      const condition = own[bound.property]
      if (isRangeOf(condition)) tested.add(bound)
      else if (condition === undefined) added.push({ bound, values: wantedOf(bound, named) })
      else own[bound.property] = { in: insideOf(listIn(condition), bound, args) }
    }
    for (const bound of lookUp(own, added, topic, room)) tested.add(bound)
    return own as Where<unknown>
  })
  return {
    where: bounded.length === 1 ? (bounded[0] as Where<unknown>) : bounded,
    test: tested.size === 0 ? undefined : (event) => isWithin([...tested], event),
  }
}

/** Whether an event is within bounds. A value that cannot be read is not. */
function isWithin(bounds: readonly TopicBound[], event: StreamEvent): boolean {
  try {
    return bounds.every(({ read, admits }) => admits(read(event)))
  } catch {
    return false
  }
}

/** What a filter of nothing names. */
const NO_FILTER: Filter = { kind: 'all', of: [] }

interface Added {
  readonly bound: TopicBound
  readonly values: ReadonlySet<string>
}

/**
 * Adds bounds to what is looked up, those with the most values first: probably each of their values finds few events.
 * Returns those that would be too many combinations, and are left to the test.
 */
function lookUp(own: Record<string, unknown>, added: readonly Added[], { indexed }: Topic, room: number): TopicBound[] {
  const isLookedUp = (name: string) => own[name] !== undefined && !isRangeOf(own[name]) && indexed.has(name)
  const names = Object.keys(own).filter(isLookedUp)
  let combinations = names.reduce((product, name) => product * listIn(own[name]).length, 1)
  let isNarrow = names.length > 0
  const left: Added[] = []
  for (const one of added.toSorted((a, b) => b.values.size - a.values.size)) {
    // Before they are spelled out: there may be thousands.
    const values = combinations * one.values.size > room ? undefined : spellingsOf(one.values)
    if (!values || combinations * values.length > room) left.push(one)
    else {
      own[one.bound.property] = { in: values }
      combinations *= values.length
      isNarrow = true
    }
  }
  const [most] = left
  // Every event of the topic would be a candidate, for every such selection.
  if (most && !isNarrow) {
    throw new SluiceError(
      'BAD_USER_INPUT',
      `These credentials are bound to ${most.values.size} values of "${most.bound.property}", and one selection has ` +
        `${room} at most: name the wanted ones in an argument or a filter`,
    )
  }
  return left.map(({ bound }) => bound)
}

/** The values of a bound; of those that the filter names, if it does. */
function wantedOf({ property, values }: TopicBound, filter: Filter): ReadonlySet<string> {
  const named = wantedValues(filter, property)
  return named ? values.intersection(named) : values
}

/** Values as events may have them: numbers, too. */
function spellingsOf(values: ReadonlySet<string>): readonly unknown[] {
  return [...(listedValues('id', { op: 'in', values, hasNull: false }) ?? values)]
}

/** Those of a condition that are within; the others are left out, or refused where a client has named them. */
function insideOf(listed: readonly unknown[], { property, admits }: TopicBound, args: Selected['args']): unknown[] {
  const others = listed.filter((value) => !admits(value))
  if (others.length > 0) {
    const name = args ? argumentWith(args, others) : property
    if (name !== undefined) throw outside(name, property)
  }
  return listed.filter(admits)
}

function outside(argument: string, property: string): SluiceError {
  const of = argument === property ? '' : ` of "${property}"`
  return new SluiceError('FORBIDDEN', `"${argument}" asks for a value${of} outside the bounds of these credentials`)
}

/** `isRange` takes an object without bounds for a range, which a definition may have: it selects all. */
function isRangeOf(condition: unknown): boolean {
  return condition !== undefined && isRange(condition)
}

function listIn(condition: unknown): readonly unknown[] {
  const isList = typeof condition === 'object' && condition !== null && 'in' in condition
  return isList ? [...new Set(condition.in as readonly unknown[])] : [condition]
}
