import type { GraphQLField } from 'graphql'

/** Declaration of a list field's length in its `extensions`, for the cost of an operation. */
export interface FieldCost {
  /** The argument that bounds the list. */
  readonly multiplier: string
  /** Upper bound, also if the argument is larger or null. */
  readonly max?: number
}

/** `extensions: { cost: { multiplier: 'first', max: 100 } }` */
const COST_EXTENSION = 'cost'

export function fieldCostOf(field: GraphQLField<unknown, unknown>): FieldCost | undefined {
  return field.extensions[COST_EXTENSION] as FieldCost | undefined
}
