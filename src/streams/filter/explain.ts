import type { Selection, Where } from '../topic/where.ts'
import { type CanonicalInstant, instantText } from './instant.ts'
import { type Condition, isTrue, type Node, type Operation, TRUE } from './node.ts'

/** What a filter became, as plain JSON: for those who look into a running gateway. */
export interface Explanation {
  /** The alternatives that are looked up. None: no event is. An empty one: every event. */
  readonly lookups: readonly (Readonly<Record<string, unknown>> | string)[]
  /** What each event that was found is asked, beside. */
  readonly tests: readonly string[]
}

/** Bounds of what is shown of a filter: a thousand values say no more than ten. */
const SHOWN_VALUES = 10
const SHOWN_CHARS = 60
const SHOWN_TESTS = 20
const SHOWN_LOOKUPS = 10

/** `rest`: what is tested beside; nothing, if absent. */
export function explain(selection: Selection<unknown>, rest: Node = TRUE): Explanation {
  const alternatives: readonly Where<unknown>[] = Array.isArray(selection) ? selection : [selection]
  const tests = rest.kind === 'all' ? rest.of : [rest]
  return {
    lookups: shown(alternatives.map(shownWhere), SHOWN_LOOKUPS),
    tests: isTrue(rest) ? [] : shown(tests.map(textOf), SHOWN_TESTS),
  }
}

function shownWhere(where: Where<unknown>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(where).map(([name, condition]) => [name, shownCondition(condition)]))
}

function shownCondition(condition: unknown): unknown {
  if (typeof condition !== 'object' || condition === null) return shownValue(condition)
  if ('in' in condition) return { in: shown((condition.in as readonly unknown[]).map(shownValue), SHOWN_VALUES) }
  return Object.fromEntries(Object.entries(condition).map(([operator, value]) => [operator, shownValue(value)]))
}

/** The first of many, and how many more there are. */
function shown<T>(values: readonly T[], count: number): (T | string)[] {
  return values.length <= count ? [...values] : [...values.slice(0, count), `and ${values.length - count} more`]
}

function shownValue(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
      return value.length <= SHOWN_CHARS ? value : `${value.slice(0, SHOWN_CHARS)}…`
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'boolean':
      return value
    default:
      return value === null ? null : value instanceof Date ? value.toISOString() : String(value)
  }
}

function textOf(node: Node): string {
  if (node.kind === 'condition') return conditionText(node)
  const parts = shown(node.of.map(textOf), SHOWN_TESTS)
  return `(${parts.join(node.kind === 'all' ? ' and ' : ' or ')})`
}

function conditionText({ field, operation, isNegated }: Condition): string {
  const isTime = field.kind === 'instant'
  const show = (constant: unknown) =>
    shownValue(isTime && constant !== null ? instantText(constant as CanonicalInstant) : constant)
  const text = `${field.path} ${operationText(operation, show)}`
  return isNegated ? `not ${text}` : text
}

function operationText(operation: Operation, show: (constant: unknown) => unknown): string {
  switch (operation.op) {
    case 'range': {
      const { low, high } = operation
      const from = low ? `${low.isOpen ? '>' : '>='} ${String(show(low.value))}` : ''
      const to = high ? `${high.isOpen ? '<' : '<='} ${String(show(high.value))}` : ''
      return [from, to].filter((text) => text !== '').join(', ')
    }
    case 'startsWith':
    case 'contains':
      return `${operation.op} ${JSON.stringify(show(operation.text))}`
    default: {
      const values = operation.hasNull ? [null, ...operation.values] : [...operation.values]
      return `${operation.op} ${shown(values.map(show), SHOWN_VALUES).join(', ')}`
    }
  }
}
