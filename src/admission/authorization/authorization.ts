import type { DocumentNode, OperationDefinitionNode } from 'graphql'
import { ANONYMOUS, type Audience } from '../../schema/context.ts'
import type { GraphQLParams } from '../params.ts'
import type { Identity, Principal } from '../principal.ts'
import type { OperationName } from '../stream-owner.ts'

/** An operation that a client wants to run. */
export interface OperationRequest {
  readonly identity: Identity
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  readonly params: GraphQLParams
  readonly name: OperationName
}

/** What clients may ask for. */
export class Authorization {
  /** What resolvers may see of a principal. Equal principals share one audience. */
  audienceOf(_principal: Principal): Audience {
    return ANONYMOUS
  }

  /** @throws SluiceError `FORBIDDEN` */
  authorize(_request: OperationRequest): void | Promise<void> {}
}
