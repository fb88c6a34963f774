import { z } from 'zod'
import type { Principal } from '../../principal.ts'
import type { ApiKeys } from '../api-keys/api-keys.ts'
import { refused } from '../refusal.ts'

/**
 * Whose ticket it is. Of a token what it says, since the token itself would be a secret in a URL. Of an API key only
 * its id: what it may do is looked up whenever the ticket is used, so that a ticket ends with its key.
 */
const Holder = z.union([
  z.strictObject({ kind: z.literal('anonymous') }),
  z.strictObject({ kind: z.literal('key'), id: z.string(), fingerprint: z.string() }),
  z.strictObject({
    kind: z.literal('token'),
    id: z.string(),
    tokenId: z.string().optional(),
    scopes: z.array(z.string()),
    bounds: z.custom<Principal['bounds']>((value) => typeof value === 'object' && value !== null),
    historyMs: z.number().optional(),
    expiresAt: z.number(),
  }),
])

const JsonObject = z.custom<Readonly<Record<string, unknown>>>((value) => typeof value === 'object' && value !== null)

/** What a ticket contains, encrypted. */
const Contents = z.strictObject({
  issuedAt: z.number(),
  holder: Holder,
  /** Of the operation that it is for. */
  digest: z.string(),
  /** The operation itself, if it is short. */
  operation: z
    .strictObject({
      query: z.string().optional(),
      documentId: z.string().optional(),
      operationName: z.string().optional(),
      variables: JsonObject.optional(),
      extensions: JsonObject.optional(),
    })
    .optional(),
})

export type Holder = z.output<typeof Holder>
export type TicketContents = z.output<typeof Contents>

/** @throws SluiceError `UNAUTHENTICATED` for what another version of this program has sealed. */
export function readContents(value: unknown): TicketContents {
  const read = Contents.safeParse(value)
  if (!read.success) throw refused('The ticket is not valid here')
  return read.data
}

/** @throws SluiceError `UNAUTHENTICATED` where the key of a principal is gone. */
export function holderOf(principal: Principal, keys: ApiKeys | undefined): Holder {
  const { kind, id, tokenId, scopes, bounds, historyMs, expiresAt } = principal
  if (kind === 'anonymous') return { kind }
  if (kind === 'key') return { kind, id, fingerprint: keyOf(id, keys).fingerprint }
  return { kind, id, tokenId, scopes: [...scopes], bounds, historyMs, expiresAt: expiresAt as number }
}

/** The principal of a holder that is no key. */
export function principalOfHolder(holder: Exclude<Holder, { kind: 'key' }>, nobody: Principal): Principal {
  if (holder.kind === 'anonymous') return nobody
  const { id, tokenId, scopes, bounds, historyMs, expiresAt } = holder
  return { kind: 'token', id, tokenId, scopes: new Set(scopes), bounds, historyMs, expiresAt }
}

/** @throws SluiceError `UNAUTHENTICATED` or `SESSION_EXPIRED` */
export function keyOf(id: string, keys: ApiKeys | undefined) {
  if (!keys) throw refused('API keys are not accepted here')
  return keys.withId(id)
}
