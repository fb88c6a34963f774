import {
  type DocumentNode,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
} from 'graphql'
import type { Logger } from 'pino'
import { formatError } from '../delivery/format-error.ts'
import { SluiceError } from '../errors.ts'
import { ANONYMOUS, type Audience } from '../schema/context.ts'
import { demandShallow } from './depth.ts'
import { DocumentCache } from './document-cache.ts'

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
  readonly log: Logger
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
  readonly params: GraphQLParams
}

export type AdmissionResult =
  | { readonly admitted: Admitted }
  /** The operation itself is refused; these are for the client to read. */
  | { readonly errors: readonly GraphQLFormattedError[] }

export interface AdmissionOptions {
  readonly schema: GraphQLSchema
}

/**
 * The one gate: every operation of every transport passes `admit` before anything is done for it. In order:
 * authenticate, parse, validate, choose the operation. (Limits, persisted operations and authorization come here.)
 */
export class Admission {
  readonly #documents: DocumentCache

  constructor({ schema }: AdmissionOptions) {
    this.#documents = new DocumentCache(schema)
  }

  /**
   * Who asks: for requests that bring no operation. Everybody is anonymous for now.
   * @throws SluiceError where the client is refused as such, whatever it asks for.
   */
  authenticate(_headers: AdmissionRequest['headers']): Identity {
    return { principal: { id: 'anonymous' }, audience: ANONYMOUS }
  }

  /** @throws SluiceError where the client is refused as such, whatever it asks for. */
  admit({ params, headers, log }: AdmissionRequest): AdmissionResult {
    const { principal, audience } = this.authenticate(headers)
    try {
      const { document, errors, code } = this.#documents.get(params.query)
      if (errors) return { errors: errors.map((error) => formatError(error, log, code)) }
      const operation = getOperationAST(document, params.operationName)
      if (!operation) throw operationNotChosen(params.operationName)
      demandShallow(params.variables)
      return { admitted: { principal, audience, document, operation, params } }
    } catch (error) {
      return { errors: [formatError(error, log)] }
    }
  }
}

function operationNotChosen(name: string | undefined): SluiceError {
  return name === undefined
    ? new SluiceError('OPERATION_NAME_INVALID', 'The document has several operations: say which by "operationName"')
    : new SluiceError('OPERATION_NAME_INVALID', `The document has no operation named "${name}"`)
}
