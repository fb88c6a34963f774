import { compareCanonical } from './canonical.ts'
import type { FieldKind } from './filter.ts'
import type { Bound, Operation } from './node.ts'

/** A range of canonical values. */
export type Interval = Operation & { readonly op: 'range' }

export function rangeOf(low: Bound | undefined, high: Bound | undefined): Interval {
  return { op: 'range', low, high }
}

/** What is in both. */
export function intersectionOf(kind: FieldKind, a: Interval, b: Interval): Interval {
  return rangeOf(tighter(kind, 'low', a.low, b.low), tighter(kind, 'high', a.high, b.high))
}

export function isEmpty(kind: FieldKind, { low, high }: Interval): boolean {
  if (!low || !high) return false
  const order = compareCanonical(kind, low.value, high.value)
  return order > 0 || (order === 0 && (low.isOpen || high.isOpen))
}

/** A range of one value has two equal bounds. */
export function isPoint(kind: FieldKind, { low, high }: Interval): boolean {
  return low !== undefined && high !== undefined && compareCanonical(kind, low.value, high.value) === 0
}

/** Whether all of `a` is in `b`. */
export function isWithin(kind: FieldKind, a: Interval, b: Interval): boolean {
  const { low, high } = intersectionOf(kind, a, b)
  return isSame(kind, low, a.low) && isSame(kind, high, a.high)
}

export function isInRange(kind: FieldKind, value: unknown, { low, high }: Interval): boolean {
  if (low) {
    const order = compareCanonical(kind, value, low.value)
    if (order < 0 || (order === 0 && low.isOpen)) return false
  }
  if (high) {
    const order = compareCanonical(kind, value, high.value)
    if (order > 0 || (order === 0 && high.isOpen)) return false
  }
  return true
}

function tighter(kind: FieldKind, side: 'low' | 'high', a: Bound | undefined, b: Bound | undefined): Bound | undefined {
  if (!a || !b) return a ?? b
  const order = compareCanonical(kind, a.value, b.value)
  if (order === 0) return a.isOpen ? a : b
  return order > 0 === (side === 'low') ? a : b
}

function isSame(kind: FieldKind, a: Bound | undefined, b: Bound | undefined): boolean {
  if (!a || !b) return a === b
  return a.isOpen === b.isOpen && compareCanonical(kind, a.value, b.value) === 0
}
