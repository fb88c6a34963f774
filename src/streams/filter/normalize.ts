import { canonicalOf, hasOrder } from './canonical.ts'
import { conjunction } from './conjunction.ts'
import type { Filter, FilterField, Test } from './filter.ts'
import { type Bound, Condition, FALSE, type Node, type Operation, TRUE } from './node.ts'
import { rangeOf } from './range.ts'

/**
 * The normal form of a filter. Filters that differ in the order or nesting of their parts, in the spelling of values,
 * in how often something is said or negated, have the same. Contradictions of one field become false, and what always
 * holds true. It recurses: the filter is within its bounds.
 * @throws TypeError for a condition that its field's kind does not have.
 */
export function normalize(filter: Filter, isNegated = false): Node {
  switch (filter.kind) {
    case 'not':
      return normalize(filter.of, !isNegated)
    case 'all':
    case 'any': {
      const nodes = filter.of.map((one) => normalize(one, isNegated))
      if ((filter.kind === 'all') !== isNegated) return conjunction(nodes)
      // What is true of conjunctions is true of disjunctions, negated.
      return conjunction(nodes.map((node) => node.negated)).negated
    }
    default: {
      const node = conditionOf(filter)
      return isNegated ? node.negated : node
    }
  }
}

function conditionOf(test: Test): Node {
  const { field } = test
  switch (test.kind) {
    case 'null':
      return new Condition(field, { op: 'in', values: new Set(), hasNull: true })
    case 'in': {
      const { values, hasNull } = constantsOf(field, test.values)
      // A list is equal to nothing.
      const wanted = field.isList ? new Set() : values
      return wanted.size > 0 || hasNull ? new Condition(field, { op: 'in', values: wanted, hasNull }) : FALSE
    }
    case 'range':
      return range(field, test.range)
    case 'startsWith':
    case 'contains':
      demand(field.kind === 'text' && !field.isList, field, 'is no text')
      return new Condition(field, { op: test.kind, text: test.text })
    case 'hasAny': {
      demand(field.isList, field, 'is no list')
      const { values, hasNull } = constantsOf(field, test.values)
      return has(field, { op: 'hasAny', values, hasNull })
    }
    case 'hasAll': {
      demand(field.isList, field, 'is no list')
      const { values, hasNull, isComplete } = constantsOf(field, test.values)
      return isComplete ? has(field, { op: 'hasAll', values, hasNull }) : FALSE
    }
  }
}

/** The schema offers no other operators: this is a fault of who built the filter. */
function demand(isRight: boolean, { path }: FilterField, otherwise: string): void {
  if (!isRight) throw new TypeError(`The field "${path}" ${otherwise}`)
}

/** To have any of one value is to have all of it. */
function has(field: FilterField, operation: Operation & { readonly op: 'hasAll' | 'hasAny' }): Node {
  const count = operation.values.size + (operation.hasNull ? 1 : 0)
  if (operation.op === 'hasAll') return new Condition(field, operation)
  return count === 0 ? FALSE : new Condition(field, count === 1 ? { ...operation, op: 'hasAll' } : operation)
}

/** `isComplete`: none of the values was left out, because nothing is equal to it. */
function constantsOf({ kind }: FilterField, given: readonly unknown[]) {
  const values = new Set<unknown>()
  let hasNull = false
  let isComplete = true
  for (const one of given) {
    const canonical = canonicalOf(kind, one)
    if (one === null || one === undefined) hasNull = true
    else if (canonical === undefined) isComplete = false
    else values.add(canonical)
  }
  return { values, hasNull, isComplete }
}

function range(field: FilterField, { gt, gte, lt, lte }: (Test & { readonly kind: 'range' })['range']): Node {
  demand(hasOrder(field.kind) && !field.isList, field, 'has no order')
  const bounds: [unknown, 'low' | 'high', boolean][] = [
    [gt, 'low', true],
    [gte, 'low', false],
    [lt, 'high', true],
    [lte, 'high', false],
  ]
  const ranges: Node[] = []
  for (const [given, side, isOpen] of bounds) {
    if (given === undefined) continue
    const value = canonicalOf(field.kind, given)
    // No value is greater or less than what cannot be compared.
    if (value === undefined) return FALSE
    const bound: Bound = { value, isOpen }
    ranges.push(new Condition(field, rangeOf(side === 'low' ? bound : undefined, side === 'high' ? bound : undefined)))
  }
  return ranges.length === 0 ? TRUE : conjunction(ranges)
}
