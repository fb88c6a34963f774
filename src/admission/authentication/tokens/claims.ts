import { z } from 'zod'
import type { Principal } from '../../principal.ts'
import { BoundsClaim, History, Id, ScopeClaim } from '../grants.ts'
import { refused } from '../refusal.ts'

/** The last moment that a Date can hold, in ms: a token without an end in practice. */
const MAX_TIME_MS = 8.64e15

/** The claims that say who somebody is and what they may do. Any others are the issuer's own affair. */
const Claims = z.object({
  sub: Id,
  jti: Id.optional(),
  scope: ScopeClaim.optional(),
  bounds: BoundsClaim.optional(),
  history: History.optional(),
  exp: z.number(),
})

/**
 * The principal of a verified token.
 * @param toleranceMs the allowed difference of clocks: a token is valid that much longer than it says.
 * @throws SluiceError `UNAUTHENTICATED` for claims of another form: one that is not understood must not be ignored,
 * since most of them are restrictions.
 */
export function principalOf(claims: unknown, toleranceMs: number): Principal {
  const read = Claims.safeParse(claims)
  if (!read.success) throw refused(`The claim "${String(read.error.issues[0]?.path[0])}" of the token is not valid`)
  const { sub, jti, scope = [], bounds = {}, history, exp } = read.data
  return {
    id: sub,
    kind: 'token',
    tokenId: jti,
    scopes: new Set(scope),
    bounds,
    historyMs: history === undefined ? undefined : history * 1000,
    expiresAt: Math.min(exp * 1000 + toleranceMs, MAX_TIME_MS),
  }
}
