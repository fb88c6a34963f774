import { canonicalOf } from './canonical.ts'
import { type DecimalBound, DecimalRange } from './decimal.ts'
import type { FieldKind, FilterField } from './filter.ts'
import { type InstantBound, InstantRange } from './instant.ts'
import type { Condition, Node, Operation } from './node.ts'
import type { Interval } from './range.ts'

type Matcher = (value: unknown) => boolean

/** Whether an operation, apart from a condition's negation, is met by a field's value. */
export function matcherOf(kind: FieldKind, operation: Operation): Matcher {
  switch (operation.op) {
    case 'in':
      return isAmong(kind, operation)
    case 'range':
      return rangeMatcher(kind, operation)
    case 'startsWith':
      return (value) => typeof value === 'string' && value.startsWith(operation.text)
    case 'contains':
      return (value) => typeof value === 'string' && value.includes(operation.text)
    case 'hasAny': {
      const isWanted = isAmong(kind, operation)
      return (list) => Array.isArray(list) && list.some(isWanted)
    }
    case 'hasAll':
      return hasAll(kind, operation)
  }
}

interface Constants {
  readonly values: ReadonlySet<unknown>
  readonly hasNull: boolean
}

/** Undefined is no canonical value: nothing equals it. */
function isAmong(kind: FieldKind, { values, hasNull }: Constants): Matcher {
  return (value) => (value === null || value === undefined ? hasNull : values.has(canonicalOf(kind, value)))
}

function rangeMatcher(kind: FieldKind, { low, high }: Interval): Matcher {
  switch (kind) {
    case 'decimal': {
      const range = new DecimalRange(low as DecimalBound | undefined, high as DecimalBound | undefined)
      return (value) => range.has(value)
    }
    case 'instant': {
      const range = new InstantRange(low as InstantBound | undefined, high as InstantBound | undefined)
      return (value) => range.has(value)
    }
    default:
      return numberRange(low as NumberBound, high as NumberBound)
  }
}

type NumberBound = { readonly value: number; readonly isOpen: boolean } | undefined

function numberRange(low: NumberBound, high: NumberBound): Matcher {
  const from = low?.value ?? Number.NEGATIVE_INFINITY
  const to = high?.value ?? Number.POSITIVE_INFINITY
  return (value) => {
    if (typeof value !== 'number' && typeof value !== 'bigint') return false
    return (low?.isOpen ? value > from : value >= from) && (high?.isOpen ? value < to : value <= to)
  }
}

/** One pass over the list, which may be long, whatever the number of values. */
function hasAll(kind: FieldKind, { values, hasNull }: Constants): Matcher {
  const wanted = values.size + (hasNull ? 1 : 0)
  const isWanted = isAmong(kind, { values, hasNull })
  if (wanted === 1) return (list) => Array.isArray(list) && list.some(isWanted)
  return (list) => {
    if (!Array.isArray(list)) return false
    const found = new Set<unknown>()
    for (const item of list) {
      if (found.size === wanted) break
      if (isWanted(item)) found.add(item === null || item === undefined ? null : canonicalOf(kind, item))
    }
    return found.size === wanted
  }
}

/** Whether a value of an event meets a node: for where code cannot be generated. */
export function nodeMatcher(node: Node): Matcher {
  if (node.kind === 'condition') return conditionMatcher(node)
  const matchers = node.of.map(nodeMatcher)
  return node.kind === 'all'
    ? (value) => matchers.every((matches) => matches(value))
    : (value) => matchers.some((matches) => matches(value))
}

function conditionMatcher({ field, operation, isNegated }: Condition): Matcher {
  const matches = matcherOf(field.kind, operation)
  return (value) => matches(fieldValue(field, value)) !== isNegated
}

/** The field's value of an event. Absent on the way to it is null. */
function fieldValue({ properties, read }: FilterField, value: unknown): unknown {
  if (!properties) return read(value)
  let at = value
  for (const property of properties) at = (at as Record<string, unknown> | null | undefined)?.[property]
  return at
}
