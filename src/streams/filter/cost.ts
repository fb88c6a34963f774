import type { Condition, Node } from './node.ts'

/** Nanoseconds of a condition, roughly: only which is less counts. */
const COSTS = { equality: 1, membership: 4, number: 2, decimal: 20, instant: 40, startsWith: 8, contains: 15, list: 30 }
/** A function of the schema's author. */
const CALL = 50
/** With more values equality is a search. */
const FEW = 4

/** Cheap nodes first. Of equal cost, the order stays. */
export function byCost(nodes: readonly Node[]): readonly Node[] {
  const costs = new Map(nodes.map((node) => [node, costOf(node)]))
  return nodes.toSorted((a, b) => (costs.get(a) as number) - (costs.get(b) as number))
}

function costOf(node: Node): number {
  if (node.kind === 'condition') return ownCost(node) + (node.field.properties ? 0 : CALL)
  return node.of.reduce((sum, part) => sum + costOf(part), 0)
}

function ownCost({ field: { kind, isList }, operation }: Condition): number {
  if (operation.op === 'in' && operation.values.size === 0) return COSTS.equality
  if (isList) return COSTS.list
  if (kind === 'decimal' || kind === 'instant') return COSTS[kind]
  switch (operation.op) {
    case 'in':
      return operation.values.size > FEW ? COSTS.membership : COSTS.equality
    case 'range':
      return COSTS.number
    case 'startsWith':
    case 'contains':
      return COSTS[operation.op]
    default:
      return COSTS.list
  }
}
