import type { GraphQLField } from 'graphql'

/** What a field of a list says of the list's length, in its `extensions`, for the cost of an operation. */
export interface FieldCost {
  /** The argument that bounds the list. */
  readonly multiplier: string
  /** What the field gives at most: where the argument asks for more or is null, this is taken. */
  readonly max?: number
}

/** `extensions: { cost: { multiplier: 'first', max: 100 } }` */
const COST_EXTENSION = 'cost'

export function fieldCostOf(field: GraphQLField<unknown, unknown>): FieldCost | undefined {
  return field.extensions[COST_EXTENSION] as FieldCost | undefined
}
