import type {
  DocumentNode,
  GraphQLFormattedError,
  GraphQLSchema,
  OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql'
import type { PreparedOperations } from '../delivery/operation/cache.ts'
import { SluiceError } from '../errors/codes.ts'
import { formatError } from '../errors/format.ts'
import type { ErrorSink } from '../errors/resolver-errors.ts'
import { ANONYMOUS, type Audience } from '../schema/context.ts'
import { AdmittedDocument, type AdmittedOperation, DocumentCache } from './document-cache.ts'
import { demandShortName } from './document-shape.ts'
import { demandSmall } from './variables-size.ts'

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

/** Parameters of a GraphQL request, of any transport. */
export interface GraphQLParams {
  readonly query: string
  readonly operationName: string | undefined
  readonly variables: Readonly<Record<string, unknown>> | undefined
  readonly extensions: Readonly<Record<string, unknown>> | undefined
  /** The position to resume at, from whichever parameter. */
  readonly lastEventId?: string | undefined
}

export interface AdmissionRequest {
  readonly params: GraphQLParams
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Receives masked errors, for the request's log. */
  readonly errors: ErrorSink
}

/** The authenticated client. Resolvers never see it: they get the audience. */
export interface Principal {
  readonly id: string
}

export interface Identity {
  readonly principal: Principal
  readonly audience: Audience
}

export interface Admitted extends Identity {
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  /** Cost: an upper bound of the resolved fields; for a subscription, of each event. */
  readonly cost: number
  /** Cache of the operations of the document. */
  readonly prepared: PreparedOperations
  readonly params: GraphQLParams
}

export type AdmissionResult =
  | { readonly admitted: Admitted }
  /** The operation is refused with these errors. */
  | { readonly errors: readonly GraphQLFormattedError[] }

/**
 * Admission: every operation of every transport passes `admit` before anything is done for it. In order: authenticate,
 * parse, validate, select the operation, compute its cost. (Limits by principal, persisted operations and authorization
 * belong here.)
 */
export class Admission {
  readonly #documents: DocumentCache

  constructor(schema: GraphQLSchema) {
    this.#documents = new DocumentCache(schema)
  }

  /** Size of the document cache, in bytes. */
  get cacheBytes(): number {
    return this.#documents.bytes
  }

  /**
   * Authenticates a request without an operation. Every client is anonymous for now.
   * @throws SluiceError where the client is refused, whatever it requests.
   */
  authenticate(_headers: AdmissionRequest['headers']): Identity {
    return { principal: { id: 'anonymous' }, audience: ANONYMOUS }
  }

  /** @throws SluiceError where the client is refused, whatever it requests. */
  admit({ params, headers, errors }: AdmissionRequest): AdmissionResult {
    const { principal, audience } = this.authenticate(headers)
    try {
      demandShortName(params.operationName, 'The operation name')
      demandSmall(params.variables)
      const found = this.#documents.get(params.query, errors)
      if (!(found instanceof AdmittedDocument)) return { errors: found }
      const { document, prepared } = found
      const chosen = found.operation(params.operationName)
      if (!chosen) throw operationNotChosen(params.operationName)
      const operation = chosen.node
      const cost = affordable(chosen, params.variables)
      return { admitted: { principal, audience, document, operation, cost, prepared, params } }
    } catch (error) {
      return { errors: [formatError(error, errors)] }
    }
  }
}

/** @throws SluiceError `OPERATION_TOO_COMPLEX` */
function affordable({ node, cost }: AdmittedOperation, variables: GraphQLParams['variables']): number {
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

function operationNotChosen(name: string | undefined): SluiceError {
  return name === undefined
    ? new SluiceError('OPERATION_NAME_INVALID', 'The document has several operations: say which by "operationName"')
    : new SluiceError('OPERATION_NAME_INVALID', `The document has no operation named "${name}"`)
}
