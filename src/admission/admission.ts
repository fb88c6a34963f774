import type { DocumentNode, GraphQLFormattedError, GraphQLSchema, OperationDefinitionNode } from 'graphql'
import type { PreparedOperations } from '../delivery/operation/cache.ts'
import { isOfClient, SluiceError } from '../errors/codes.ts'
import { formatError } from '../errors/format.ts'
import type { ErrorSink } from '../errors/resolver-errors.ts'
import type { AdmissionObserver } from './admission-observer.ts'
import type { Authentication } from './authentication/authentication.ts'
import { demandBound } from './authentication/tickets/operation-binding.ts'
import type { Authorization } from './authorization/authorization.ts'
import type { Control } from './control/control.ts'
import { demandOwnPage, hasCookie } from './csrf.ts'
import { AdmittedDocument, DocumentCache } from './document-cache.ts'
import { demandShortName } from './document-shape.ts'
import type { Entry } from './entry.ts'
import type { Limits } from './limits/limits.ts'
import { demandAffordable } from './max-cost.ts'
import type { GraphQLParams } from './params.ts'
import type { InvalidOperation, PersistedOperations, ReadDocument } from './persisted/persisted-operations.ts'
import { type Identity, NOBODY } from './principal.ts'
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
  readonly observers?: readonly AdmissionObserver[]
  /** False: documents may not ask for the schema. */
  readonly introspection?: boolean
  /** The cookie that holds credentials, if there is one: a browser sends it by itself, whichever page asks. */
  readonly cookie?: string | undefined
  /** Whether pages of an origin may use a cookie's credentials. */
  readonly isListedOrigin?: (origin: string) => boolean
}

/**
 * Admission: the one gate. Every request of every transport passes `identify`, and every operation `admit`, before
 * anything is done for it.
 */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #documents: DocumentCache
  readonly #observers: readonly AdmissionObserver[]

  constructor(options: AdmissionOptions) {
    this.#options = options
    this.#documents = new DocumentCache(options.schema, options)
    this.#observers = options.observers ?? []
  }

  /** Size of the document cache and of the persisted documents, in bytes. */
  get cacheBytes(): number {
    return this.#documents.bytes + this.#options.persisted.bytes
  }

  /** Reads the persisted operations. @returns those that cannot be run: they are refused when they are asked for. */
  warm(errors: ErrorSink): readonly InvalidOperation[] {
    const read: ReadDocument = (text, onGrown) => this.#documents.read(text, errors, onGrown)
    return this.#options.persisted.warm(read, demandRunnable)
  }

  /**
   * Who sent a request. In order: the address's rate of requests, credentials, the page that sent a cookie, revocations,
   * the principal's rate. A request whose credentials are refused counts for its address.
   * @throws SluiceError where the client is refused, whatever it requests.
   */
  async identify(entry: Entry): Promise<Identity> {
    const { authentication, control, limits, cookie, isListedOrigin = () => false } = this.#options
    limits.demandAddress(entry.address)
    let identity: Identity | undefined
    try {
      identity = await authentication.identify(entry)
      if (cookie !== undefined && hasCookie(entry, cookie)) demandOwnPage(entry, isListedOrigin)
      control.demandNotRevoked(identity.principal)
    } catch (error) {
      this.#refused(entry, identity, error)
      limits.demandRequest(NOBODY, entry.address)
      throw error
    }
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
      const { text, hash, document: persistedDocument } = persisted.textOf(params)
      const found =
        persistedDocument ??
        this.#documents.known(text) ??
        limits.preparing(identity.principal, address, () => this.#documents.get(text, errors))
      if (!(found instanceof AdmittedDocument)) {
        this.#refusedBy(entry, identity, String(found[0]?.extensions?.code))
        return { errors: found }
      }
      const { document, prepared } = found
      const chosen = found.operation(params.operationName)
      if (!chosen) throw operationNotChosen(params.operationName)
      const operation = chosen.node
      const name: OperationName = { hash: hash ?? found.hash, name: operation.name?.value }
      control.demandNotBlocked(name)
      const cost = demandAffordable(chosen, params.variables)
      await authorization.authorize({ identity, document, operation, params, name })
      const owner: StreamOwner = { identity, address, requestId, operation: name }
      for (const observer of this.#observers) observer.admitted(owner, operation.operation)
      return { admitted: new Admitted({ identity, document, operation, cost, prepared, params, owner }) }
    } catch (error) {
      this.#refused(entry, identity, error)
      if (isOfClient(error)) throw error
      return { errors: [formatError(error, errors)] }
    }
  }

  /** Tells of a refusal. Limits tell of their own, wherever they refuse; other errors are no refusals, but faults. */
  #refused(entry: Entry, identity: Identity | undefined, error: unknown): void {
    if (error instanceof SluiceError && error.code !== 'RATE_LIMITED') this.#refusedBy(entry, identity, error.code)
  }

  #refusedBy({ address, requestId }: Entry, identity: Identity | undefined, code: string): void {
    const refusal = { code, reason: code.toLowerCase(), principal: identity?.principal, address, requestId }
    for (const observer of this.#observers) observer.refused(refusal)
  }
}

/** Whether a document's operations can be run, as far as that does not depend on variables. */
function demandRunnable(admitted: AdmittedDocument): void {
  for (const node of admitted.document.definitions) {
    const operation = node.kind === 'OperationDefinition' ? admitted.operation(node.name?.value) : undefined
    if (operation) demandAffordable(operation, undefined)
  }
}

function operationNotChosen(name: string | undefined): SluiceError {
  return name === undefined
    ? new SluiceError('OPERATION_NAME_INVALID', 'The document has several operations: say which by "operationName"')
    : new SluiceError('OPERATION_NAME_INVALID', `The document has no operation named "${name}"`)
}
