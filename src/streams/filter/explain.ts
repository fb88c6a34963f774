import type { Selection, Where } from '../topic/where.ts'
import { type Condition, isTrue, type Node, type Operation } from './node.ts'

/** What a filter became, as plain JSON: for those who look into a running gateway. */
export interface Explanation {
  /** The alternatives that are looked up. None: no event is. An empty one: every event. */
  readonly lookups: readonly Readonly<Record<string, unknown>>[]
  /** What each event that was found is asked, beside. */
  readonly tests: readonly string[]
}

/** Bounds of what is shown of a filter: a thousand values say no more than ten. */
const SHOWN_VALUES = 10
const SHOWN_CHARS = 60
const SHOWN_TESTS = 20

export function explain(selection: Selection<unknown>, rest: Node): Explanation {
  const alternatives: readonly Where<unknown>[] = Array.isArray(selection) ? selection : [selection]
  const tests = rest.kind === 'all' ? rest.of : [rest]
  return {
    lookups: alternatives.map((where) =>
      Object.fromEntries(Object.entries(where).map(([name, condition]) => [name, shownCondition(condition)])),
    ),
    tests: isTrue(rest) ? [] : shown(tests.map(textOf), SHOWN_TESTS),
  }
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
      return value === null || value instanceof Date ? value : String(value)
  }
}

function textOf(node: Node): string {
  if (node.kind === 'condition') return conditionText(node)
  const parts = shown(node.of.map(textOf), SHOWN_TESTS)
  return `(${parts.join(node.kind === 'all' ? ' and ' : ' or ')})`
}

function conditionText({ field, operation, isNegated }: Condition): string {
  const text = `${field.path} ${operationText(operation)}`
  return isNegated ? `not ${text}` : text
}

function operationText(operation: Operation): string {
  switch (operation.op) {
    case 'range': {
      const { low, high } = operation
      const from = low ? `${low.isOpen ? '>' : '>='} ${String(shownValue(low.value))}` : ''
      const to = high ? `${high.isOpen ? '<' : '<='} ${String(shownValue(high.value))}` : ''
      return [from, to].filter((text) => text !== '').join(', ')
    }
    case 'startsWith':
    case 'contains':
      return `${operation.op} ${JSON.stringify(shownValue(operation.text))}`
    default: {
      const values = operation.hasNull ? [null, ...operation.values] : [...operation.values]
      return `${operation.op} ${shown(values.map(shownValue), SHOWN_VALUES).join(', ')}`
    }
  }
}
