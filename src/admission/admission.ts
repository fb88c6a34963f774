import type { DocumentNode, GraphQLFormattedError, GraphQLSchema, OperationDefinitionNode } from 'graphql'
import type { PreparedOperations } from '../delivery/operation/cache.ts'
import { SluiceError } from '../errors/codes.ts'
import { formatError } from '../errors/format.ts'
import type { Authentication } from './authentication/authentication.ts'
import { demandBound } from './authentication/tickets/operation-binding.ts'
import type { Authorization } from './authorization/authorization.ts'
import type { Control } from './control/control.ts'
import { AdmittedDocument, DocumentCache } from './document-cache.ts'
import { demandShortName } from './document-shape.ts'
import type { Entry } from './entry.ts'
import type { Limits } from './limits/limits.ts'
import { demandAffordable } from './max-cost.ts'
import type { GraphQLParams } from './params.ts'
import type { PersistedOperations } from './persisted/persisted-operations.ts'
import type { Identity } from './principal.ts'
import type { OperationName, StreamOwner } from './stream-owner.ts'
import { demandSmall } from './variables-size.ts'

/**
 * An operation that has passed admission. Only `Admission` creates one, and transports run nothing else: the private
 * field makes the type nominal, so that no other object passes for it.
 */
export class Admitted {
  readonly #isAdmitted = true
  readonly identity: Identity
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  /** Cost: an upper bound of the resolved fields; for a subscription, of each event. */
  readonly cost: number
  /** Cache of the operations of the document. */
  readonly prepared: PreparedOperations
  readonly params: GraphQLParams
  readonly owner: StreamOwner

  constructor(fields: Omit<Admitted, 'isAdmitted'>) {
    this.identity = fields.identity
    this.document = fields.document
    this.operation = fields.operation
    this.cost = fields.cost
    this.prepared = fields.prepared
    this.params = fields.params
    this.owner = fields.owner
  }

  get isAdmitted(): boolean {
    return this.#isAdmitted
  }
}

export type AdmissionResult =
  | { readonly admitted: Admitted }
  /** The operation is refused with these errors. */
  | { readonly errors: readonly GraphQLFormattedError[] }

export interface AdmissionOptions {
  readonly schema: GraphQLSchema
  readonly authentication: Authentication
  readonly control: Control
  readonly limits: Limits
  readonly persisted: PersistedOperations
  readonly authorization: Authorization
}

/**
 * Admission: the one gate. Every request of every transport passes `identify`, and every operation `admit`, before
 * anything is done for it.
 */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #documents: DocumentCache

  constructor(options: AdmissionOptions) {
    this.#options = options
    this.#documents = new DocumentCache(options.schema)
  }

  /** Size of the document cache, in bytes. */
  get cacheBytes(): number {
    return this.#documents.bytes
  }

  /**
   * Who sent a request. In order: credentials, revocations, the rate of requests.
   * @throws SluiceError where the client is refused, whatever it requests.
   */
  async identify(entry: Entry): Promise<Identity> {
    const { authentication, control, limits } = this.#options
    const identity = await authentication.identify(entry)
    control.demandNotRevoked(identity.principal)
    limits.demandRequest(identity.principal, entry.address)
    return identity
  }

  /**
   * Whether a client may run an operation. In order: persisted operations, parsing and validation, the operation's
   * choice, blocked operations, cost, authorization.
   * @throws SluiceError of status 401, 429 or 503, where the client is refused, whatever it requests.
   */
  async admit(entry: Entry, identity: Identity, params: GraphQLParams): Promise<AdmissionResult> {
    const { control, limits, persisted, authorization } = this.#options
    const { errors, address, requestId } = entry
    try {
      demandShortName(params.operationName, 'The operation name')
      demandSmall(params.variables)
      demandBound(identity.operation, params)
      const { text, hash } = persisted.textOf(params)
      const found = limits.preparing(identity.principal, address, () => this.#documents.get(text, errors))
      if (!(found instanceof AdmittedDocument)) return { errors: found }
      const { document, prepared } = found
      const chosen = found.operation(params.operationName)
      if (!chosen) throw operationNotChosen(params.operationName)
      const operation = chosen.node
      const name: OperationName = { hash: hash ?? found.hash, name: operation.name?.value }
      control.demandNotBlocked(name)
      const cost = demandAffordable(chosen, params.variables)
      await authorization.authorize({ identity, document, operation, params, name })
      const owner: StreamOwner = { identity, address, requestId, operation: name }
      return { admitted: new Admitted({ identity, document, operation, cost, prepared, params, owner }) }
    } catch (error) {
      if (error instanceof SluiceError && OF_CLIENT.has(error.status)) throw error
      return { errors: [formatError(error, errors)] }
    }
  }
}

/** Statuses of refusals that concern the client, and not the operation. */
const OF_CLIENT: ReadonlySet<number> = new Set([401, 429, 503])

function operationNotChosen(name: string | undefined): SluiceError {
  return name === undefined
    ? new SluiceError('OPERATION_NAME_INVALID', 'The document has several operations: say which by "operationName"')
    : new SluiceError('OPERATION_NAME_INVALID', `The document has no operation named "${name}"`)
}
