import type { Audience, Bounds } from '../schema/context.ts'
import type { GraphQLParams } from './params.ts'

/** The authenticated client. Resolvers never see it: they get the audience. */
export interface Principal {
  /** The token's `sub`, or the API key's id; `anonymous` for all clients without credentials. */
  readonly id: string
  readonly kind: 'anonymous' | 'token' | 'key'
  /** The token's `jti`. */
  readonly tokenId: string | undefined
  readonly scopes: ReadonlySet<string>
  /** By property of events, the values that it may read; empty: all. */
  readonly bounds: Bounds
  /** How far back it may read, in ms; undefined: without limit. */
  readonly historyMs: number | undefined
  /** Until when its credentials are valid, in ms since the epoch; undefined: until they are revoked. */
  readonly expiresAt: number | undefined
}

/**
 * Who sent a request. Requests with the same credentials have the same identity, so that open streams may keep it.
 */
export interface Identity {
  readonly principal: Principal
  readonly audience: Audience
  /** A ticket's: the only operation that it may run. */
  readonly operation?: OperationBinding
}

/** The operation that a ticket is for. */
export interface OperationBinding {
  /** Of its document, name and variables. */
  readonly digest: string
  /** The operation itself, which the request then does not have to repeat. */
  readonly params: GraphQLParams | undefined
}

/** Anonymous clients where these have scopes: see `ANONYMOUS_SCOPES`. */
export function nobodyWith(scopes: readonly string[]): Principal {
  return scopes.length === 0 ? NOBODY : { ...NOBODY, scopes: new Set(scopes) }
}

export const NOBODY: Principal = {
  id: 'anonymous',
  kind: 'anonymous',
  tokenId: undefined,
  scopes: new Set(),
  bounds: {},
  historyMs: undefined,
  expiresAt: undefined,
}
