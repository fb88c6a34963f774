import type { OrderKind } from '../topic/ordered.ts'
import type { Lookups, Topic } from '../topic/topic.ts'
import type { Range } from '../topic/where.ts'
import { canonicalOf } from './canonical.ts'
import type { CanonicalInstant } from './instant.ts'
import { type Bound, constantKey } from './node.ts'
import { type Interval, intersectionOf, isEmpty, isInRange, rangeOf } from './range.ts'

/** What is looked up of a topic's value of one name: the condition of a `where`, in a form that can be intersected. */
export type Wanted =
  /** Values of events, not canonical. */
  | { readonly kind: 'values'; readonly values: ReadonlySet<unknown> }
  /** Canonical bounds. */
  | { readonly kind: 'range'; readonly order: OrderKind; readonly interval: Interval }

/** The names and kinds of the values that a topic's `where` may name. */
export type Names = Lookups & Pick<Topic, 'isIndexedByProperty'>

/**
 * A condition as a definition gives it. 'any': it has none. Undefined: nothing meets it.
 * @throws TypeError for a range of what is not ordered.
 */
export function wantedIn(condition: unknown, name: string, { ordered }: Names): Wanted | 'any' | undefined {
  if (isRange(condition)) {
    const order = ordered.get(name)?.kind
    if (order === undefined) throw new TypeError(`The topic is not ordered by "${name}"`)
    return rangeIn(condition, order)
  }
  return condition === undefined ? 'any' : valuesIn(new Set(isList(condition) ? condition.in : [condition]))
}

function rangeIn(range: Range<unknown>, order: OrderKind): Wanted | 'any' | undefined {
  let interval = rangeOf(undefined, undefined)
  for (const [operator, given] of Object.entries(range)) {
    if (given === undefined) continue
    const value = canonicalOf(order, given)
    if (value === undefined) return undefined
    const bound: Bound = { value, isOpen: operator === 'gt' || operator === 'lt' }
    const isLow = operator === 'gt' || operator === 'gte'
    interval = intersectionOf(order, interval, isLow ? rangeOf(bound, undefined) : rangeOf(undefined, bound))
  }
  if (isEmpty(order, interval)) return undefined
  return interval.low || interval.high ? { kind: 'range', order, interval } : 'any'
}

const OPERATORS = ['gt', 'gte', 'lt', 'lte']

/** An object with nothing but bounds: a value may be an object too. */
function isRange(condition: unknown): condition is Range<unknown> {
  if (typeof condition !== 'object' || condition === null) return false
  const prototype: unknown = Object.getPrototypeOf(condition)
  if (prototype !== Object.prototype && prototype !== null) return false
  return Object.keys(condition).every((name) => OPERATORS.includes(name))
}

function isList(condition: unknown): condition is { readonly in: readonly unknown[] } {
  return typeof condition === 'object' && condition !== null && 'in' in condition
}

/** As a `where` has it. */
export function conditionOf(wanted: Wanted): unknown {
  if (wanted.kind === 'range') return rangeConditionOf(wanted)
  const [value] = wanted.values
  // In a `where` undefined is no condition, and an object may be one.
  const isPlain = wanted.values.size === 1 && value !== undefined && typeof value !== 'object'
  return isPlain ? value : { in: [...wanted.values] }
}

function rangeConditionOf({ order, interval: { low, high } }: Wanted & { readonly kind: 'range' }): Range<unknown> {
  if (order === 'instant') return { ...(low && fromInstant(low)), ...(high && toInstant(high)) }
  return {
    ...(low && (low.isOpen ? { gt: low.value } : { gte: low.value })),
    ...(high && (high.isOpen ? { lt: high.value } : { lte: high.value })),
  }
}

/** Whether a `where` has the range itself: digits beyond what a `Date` holds are left to the test. */
export function isSayable(order: OrderKind, { low, high }: Interval): boolean {
  return order !== 'instant' || (typeof (low?.value ?? 0) === 'number' && typeof (high?.value ?? 0) === 'number')
}

function fromInstant({ value, isOpen }: Bound): Range<Date> {
  const { date, isExact } = dateOf(value as CanonicalInstant)
  return isOpen && isExact ? { gt: date } : { gte: date }
}

function toInstant({ value, isOpen }: Bound): Range<Date> {
  const { date, isExact } = dateOf(value as CanonicalInstant)
  if (!isExact) return { lte: new Date(date.getTime() + 1) }
  return isOpen ? { lt: date } : { lte: date }
}

function dateOf(instant: CanonicalInstant): { readonly date: Date; readonly isExact: boolean } {
  const ms = typeof instant === 'number' ? instant : Number(instant.slice(0, instant.indexOf(':')))
  return { date: new Date(ms), isExact: typeof instant === 'number' }
}

/**
 * What is in both. Undefined: nothing. `a`, if they cannot be intersected: the index has a function by that name, and
 * the order a property.
 */
export function intersect(a: Wanted, b: Wanted, name: string, names: Names): Wanted | undefined {
  if (a.kind === 'values' && b.kind === 'values') return valuesIn(a.values.intersection(b.values))
  if (a.kind === 'range' && b.kind === 'range') {
    const interval = intersectionOf(a.order, a.interval, b.interval)
    return isEmpty(a.order, interval) ? undefined : { ...a, interval }
  }
  const isFunction = names.indexed.has(name) && !names.isIndexedByProperty
  if (isFunction || names.ordered.get(name)?.property !== name) return a
  const [values, { order, interval }] = (a.kind === 'values' ? [a, b] : [b, a]) as [Values, Ranged]
  const isWithin = (value: unknown) => {
    const canonical = canonicalOf(order, value)
    return canonical !== undefined && isInRange(order, canonical, interval)
  }
  return valuesIn(new Set([...values.values].filter(isWithin)))
}

type Values = Wanted & { readonly kind: 'values' }
type Ranged = Wanted & { readonly kind: 'range' }

function valuesIn(values: ReadonlySet<unknown>): Wanted | undefined {
  return values.size === 0 ? undefined : { kind: 'values', values }
}

/** Text that is equal for equal conditions. */
export function wantedKey(wanted: Wanted): string {
  if (wanted.kind === 'values') return Array.from(wanted.values, constantKey).sort().join()
  const { low, high } = wanted.interval
  return `${low ? `${low.isOpen}${constantKey(low.value)}` : ''}..${high ? `${high.isOpen}${constantKey(high.value)}` : ''}`
}
