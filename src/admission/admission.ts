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
import type { ErrorSink, ResolverErrors } from '../errors/resolver-errors.ts'
import { ANONYMOUS, type Audience } from '../schema/context.ts'
import { demandShallow } from './depth.ts'
import { AdmittedDocument, type AdmittedOperation, DocumentCache } from './document-cache.ts'
import { demandShortName } from './document-shape.ts'

/**
 * Fields that an operation may have resolved: some 50 to 100 ms of the event loop for queries and mutations, and 3 ms
 * for an event of a subscription.
 */
const MAX_COST: Readonly<Record<OperationTypeNode, number>> = {
  query: 100_000,
  mutation: 100_000,
  subscription: 5_000,
}
/** Levels of fields. Executors call themselves for each. */
const MAX_DEPTH = 30

/** What a client asks for, whatever the transport it came by. */
export interface GraphQLParams {
  readonly query: string
  readonly operationName: string | undefined
  readonly variables: Readonly<Record<string, unknown>> | undefined
  readonly extensions: Readonly<Record<string, unknown>> | undefined
  /** The position to resume at, however it was sent. */
  readonly lastEventId?: string | undefined
}

export interface AdmissionRequest {
  readonly params: GraphQLParams
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The request's. */
  readonly errors: ErrorSink
}

/** Who asks. Resolvers never see it: they get the audience. */
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
  /** Fields that it has resolved at most: for each event, if it is a subscription. */
  readonly cost: number
  /** Operations made of the document before. */
  readonly prepared: PreparedOperations
  readonly params: GraphQLParams
}

export type AdmissionResult =
  | { readonly admitted: Admitted }
  /** The operation itself is refused; these are for the client to read. */
  | { readonly errors: readonly GraphQLFormattedError[] }

export interface AdmissionOptions {
  readonly schema: GraphQLSchema
  readonly errors: ResolverErrors
}

/**
 * The one gate: every operation of every transport passes `admit` before anything is done for it. In order:
 * authenticate, parse, validate, choose the operation, reckon its cost. (Limits by principal, persisted operations and
 * authorization come here.)
 */
export class Admission {
  readonly #documents: DocumentCache

  constructor({ schema, errors }: AdmissionOptions) {
    this.#documents = new DocumentCache(schema, (error, fallback) => formatError(error, errors, fallback))
  }

  /** What is kept of documents, in bytes. */
  get cacheBytes(): number {
    return this.#documents.bytes
  }

  /**
   * Who asks: for requests that bring no operation. Everybody is anonymous for now.
   * @throws SluiceError where the client is refused as such, whatever it asks for.
   */
  authenticate(_headers: AdmissionRequest['headers']): Identity {
    return { principal: { id: 'anonymous' }, audience: ANONYMOUS }
  }

  /** @throws SluiceError where the client is refused as such, whatever it asks for. */
  admit({ params, headers, errors }: AdmissionRequest): AdmissionResult {
    const { principal, audience } = this.authenticate(headers)
    try {
      demandShortName(params.operationName, 'The operation name')
      demandShallow(params.variables)
      const found = this.#documents.get(params.query)
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
