import { contradicts, meetsConstant } from './implication.ts'
import { Condition, FALSE, Group, isFalse, type Node, type Operation, sorted, TRUE } from './node.ts'
import { type Interval, intersectionOf, isEmpty, isPoint } from './range.ts'

/**
 * The conjunction of nodes in normal form. It is flat, and the conditions of a field are merged. The result does not
 * depend on the order and nesting of conjunctions: what is left out is implied by what stays.
 */
export function conjunction(nodes: readonly Node[]): Node {
  const flat = nodes.flatMap((node) => (node.kind === 'all' ? node.of : [node]))
  const byField = new Map<string, Condition[]>()
  const all = new Map<string, Node>()
  for (const node of flat) {
    if (isFalse(node)) return FALSE
    if (node.kind !== 'condition') all.set(node.key, node)
    else {
      const others = byField.get(node.field.path)
      if (others) others.push(node)
      else byField.set(node.field.path, [node])
    }
  }
  for (const conditions of byField.values()) {
    const merged = conditions.length === 1 ? conditions : merge(conditions)
    if (!merged) return FALSE
    for (const condition of merged) all.set(condition.key, condition)
  }
  if (all.size === 0) return TRUE
  const [first] = all.values()
  return all.size === 1 ? (first as Node) : new Group('all', sorted([...all.values()]))
}

type In = Operation & { readonly op: 'in' }
const NONE = { values: new Set(), hasNull: false }
type Has = Operation & { readonly op: 'hasAll' | 'hasAny' }

/**
 * Comparisons of the values of a field with its other conditions. With more, these are kept side by side: two such
 * filters may be equal and not share.
 */
const MAX_COMPARISONS = 4000

/** What the conditions of one field say together; undefined: they contradict each other. */
function merge(conditions: readonly Condition[]): readonly Condition[] | undefined {
  const { field } = conditions[0] as Condition
  const { kind } = field
  let wanted: In | undefined
  let unwanted: In | undefined
  let interval: Interval | undefined
  let allOf: Has | undefined
  let noneOf: Has | undefined
  const others = new Map<string, Condition>()
  for (const condition of conditions) {
    const { operation, isNegated } = condition
    const { op } = operation
    if (op === 'in' && isNegated) unwanted = unwanted ? union(unwanted, operation) : operation
    else if (op === 'in') wanted = wanted ? intersection(wanted, operation) : operation
    else if (op === 'range' && !isNegated) interval = interval ? intersectionOf(kind, interval, operation) : operation
    else if (op === 'hasAll' && !isNegated) allOf = allOf ? union(allOf, operation) : operation
    else if (isNegated && (op === 'hasAny' || (op === 'hasAll' && countOf(operation) === 1)))
      noneOf = noneOf ? union(noneOf, operation) : operation
    else others.set(condition.key, condition)
  }
  if (interval && isEmpty(kind, interval)) return undefined
  if (interval && isPoint(kind, interval)) {
    const point: In = { op: 'in', values: new Set([interval.low?.value]), hasNull: false }
    wanted = wanted ? intersection(wanted, point) : point
    interval = undefined
  }
  const rest = [...others.values()]
  if (interval) rest.push(new Condition(field, interval))
  if (allOf) rest.push(new Condition(field, allOf))
  if (noneOf) rest.push(new Condition(field, { ...noneOf, op: countOf(noneOf) === 1 ? 'hasAll' : 'hasAny' }, true))
  const listed = countOf(wanted ?? unwanted ?? NONE)
  if (listed * rest.length > MAX_COMPARISONS) {
    if (wanted) rest.push(new Condition(field, wanted))
    if (unwanted) rest.push(new Condition(field, unwanted, true))
    return rest
  }
  if (wanted) {
    if (unwanted) rest.push(new Condition(field, unwanted, true))
    const left = keep(wanted, (constant) => rest.every((condition) => meetsConstant(condition, constant)))
    return countOf(left) === 0 ? undefined : [new Condition(field, left)]
  }
  const positive = rest.filter(({ isNegated }) => !isNegated)
  if (unwanted) {
    // What the others do not let through needs no exception.
    const left = keep(unwanted, (constant) => positive.every((condition) => meetsConstant(condition, constant)))
    if (countOf(left) > 0) rest.push(new Condition(field, left, true))
  }
  return withoutRedundant(rest, positive)
}

/** Undefined: one of them contradicts another. */
function withoutRedundant(
  conditions: readonly Condition[],
  positive: readonly Condition[],
): readonly Condition[] | undefined {
  const left: Condition[] = []
  for (const condition of conditions) {
    if (!condition.isNegated) {
      left.push(condition)
      continue
    }
    if (positive.some((one) => contradicts(one, condition))) return undefined
    if (!positive.some((one) => isOutside(one, condition))) left.push(condition)
  }
  return left
}

/** Whether the negation of a range follows from a range, which is outside of it. */
function isOutside({ field, operation }: Condition, { operation: negated }: Condition): boolean {
  if (operation.op !== 'range' || negated.op !== 'range') return false
  return isEmpty(field.kind, intersectionOf(field.kind, operation, negated))
}

function countOf({ values, hasNull }: { readonly values: ReadonlySet<unknown>; readonly hasNull: boolean }) {
  return values.size + (hasNull ? 1 : 0)
}

function intersection(a: In, b: In): In {
  return { op: 'in', values: a.values.intersection(b.values), hasNull: a.hasNull && b.hasNull }
}

function union<T extends In | Has>(a: T, b: In | Has): T {
  return { ...a, values: a.values.union(b.values), hasNull: a.hasNull || b.hasNull }
}

function keep(list: In, wants: (constant: unknown) => boolean): In {
  return { op: 'in', values: new Set([...list.values].filter(wants)), hasNull: list.hasNull && wants(null) }
}
