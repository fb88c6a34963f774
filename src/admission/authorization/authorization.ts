import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql'
import type { Logger } from 'pino'
import type { Audience } from '../../schema/context.ts'
import { SchemaRules } from '../../schema/rights/schema-rules.ts'
import type { GraphQLParams } from '../params.ts'
import type { Identity, Principal } from '../principal.ts'
import type { OperationName } from '../stream-owner.ts'
import { Audiences } from './audiences.ts'
import { type Authorize, RulesElsewhere } from './rules-elsewhere.ts'
import { ScopeCheck } from './scopes.ts'

/** An operation that a client wants to run. */
export interface OperationRequest {
  readonly identity: Identity
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  readonly params: GraphQLParams
  readonly name: OperationName
}

export interface AuthorizationOptions {
  readonly schema: GraphQLSchema
  readonly log: Logger
  readonly authorize?: Authorize | undefined
}

/**
 * What clients may ask for: the scopes of what an operation selects and filters by, and the rules that live elsewhere.
 * Bounds and history are kept where events are selected (schema/rights/), which needs the audience alone.
 */
export class Authorization {
  readonly #audiences: Audiences
  readonly #scopes: ScopeCheck
  readonly #elsewhere: RulesElsewhere | undefined

  constructor({ schema, log, authorize }: AuthorizationOptions) {
    const rules = new SchemaRules(schema)
    this.#audiences = new Audiences(rules)
    this.#scopes = new ScopeCheck(schema, rules)
    this.#elsewhere = authorize && new RulesElsewhere({ schema, log, authorize })
  }

  /** What resolvers may see of a principal. Equal principals share one audience. */
  readonly audienceOf = (principal: Principal): Audience => this.#audiences.of(principal)

  /**
   * A promise only where rules live elsewhere.
   * @throws SluiceError `FORBIDDEN`; `AUTHORIZATION_UNAVAILABLE` where it could not be found out.
   */
  authorize(request: OperationRequest): void | Promise<void> {
    this.#scopes.demand(request)
    return this.#elsewhere?.demand(request)
  }
}
