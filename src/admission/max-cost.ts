import type { OperationTypeNode } from 'graphql'
import { SluiceError } from '../errors/codes.ts'
import type { AdmittedOperation } from './document-cache.ts'
import type { GraphQLParams } from './params.ts'

/**
 * Cost limits, in resolved fields of an operation: some 50 to 100 ms of the event loop for queries and mutations, and 3
 * ms for an event of a subscription.
 */
const MAX_COST: Readonly<Record<OperationTypeNode, number>> = {
  query: 100_000,
  mutation: 100_000,
  subscription: 5_000,
}
/** Depth limit, in levels of fields: executors are recursive. */
const MAX_DEPTH = 30

/** The cost of an operation. @throws SluiceError `OPERATION_TOO_COMPLEX` */
export function demandAffordable({ node, cost }: AdmittedOperation, variables: GraphQLParams['variables']): number {
  if (cost.depth > MAX_DEPTH) {
    throw new SluiceError('OPERATION_TOO_COMPLEX', `The operation selects more than ${MAX_DEPTH} levels of fields`)
  }
  const fields = cost.of(variables)
  const max = MAX_COST[node.operation]
  if (fields <= max) return fields
  const [much, all] = [fields, max].map((number) => number.toLocaleString('en'))
  const each = node.operation === 'subscription' ? ' for each event' : ''
  throw new SluiceError(
    'OPERATION_TOO_COMPLEX',
    `The operation has up to ${much} fields resolved${each}, and may have ${all}`,
  )
}
