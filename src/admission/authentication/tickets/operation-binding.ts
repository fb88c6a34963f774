import { hash } from 'node:crypto'
import { SluiceError } from '../../../errors/codes.ts'
import type { GraphQLParams } from '../../params.ts'
import type { OperationBinding } from '../../principal.ts'

/** Members of `extensions` that belong to a request, not to its operation: position, and id on a stream of several. */
const OF_THE_REQUEST: readonly string[] = ['lastEventId', 'operationId']

/** What of a request is its operation. */
export type BoundOperation = Omit<GraphQLParams, 'lastEventId'>

/** The operation that a ticket is given for. */
export function boundOperation(params: GraphQLParams): BoundOperation {
  const { query, documentId, operationName, variables, extensions } = params
  const others = Object.entries(extensions ?? {}).filter(([name]) => !OF_THE_REQUEST.includes(name))
  return {
    query,
    documentId,
    operationName,
    variables,
    extensions: others.length > 0 ? Object.fromEntries(others) : undefined,
  }
}

/** Equal for equal operations: members of objects in any order, and what is absent, empty or null are the same. */
export function digestOf(params: GraphQLParams): string {
  const { query, documentId, operationName, variables, extensions } = boundOperation(params)
  const parts = [query, documentId, operationName, variables ?? {}, extensions ?? {}]
  return hash(
    'sha256',
    JSON.stringify(
      parts.map((part) => part || null),
      inOrder,
    ),
    'base64url',
  )
}

/**
 * @param binding the operation of the ticket that a request came with; undefined: it came with something else.
 * @throws SluiceError `FORBIDDEN` for another operation.
 */
export function demandBound(binding: OperationBinding | undefined, params: GraphQLParams): void {
  if (binding === undefined || digestOf(params) === binding.digest) return
  throw new SluiceError('FORBIDDEN', 'The ticket is for another operation')
}

/** For `JSON.stringify`: objects with sorted members. Variables are bounded in depth and size before. */
function inOrder(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  // `fromEntries` defines members: one named `__proto__` is kept, and is no prototype.
  return Object.fromEntries(sorted)
}
