import { onTestFinished, vi } from 'vitest'
import { Authentication } from '../../src/admission/authentication/authentication.ts'
import type { Entry } from '../../src/admission/entry.ts'
import type { Identity, Principal } from '../../src/admission/principal.ts'
import { SluiceError } from '../../src/errors/codes.ts'
import { ANONYMOUS, type Audience } from '../../src/schema/context.ts'
import { ANYBODY, aPrincipal } from './admission.ts'

/** What a pretended token says of its principal; two of equal `rights` have one audience. */
export type Pretended = Partial<Pick<Principal, 'id' | 'kind' | 'tokenId' | 'expiresAt'>> & { readonly rights?: string }

/** Until the end of the test, gateways of this process believe what `bearer` makes, without a signature. */
export function believeTokens(): void {
  const identities = new Map<string, Identity>()
  const audiences = new Map<string | undefined, Audience>([[undefined, ANONYMOUS]])
  const identify = ({ headers }: Entry): Identity => {
    const token = headers.authorization?.slice('Bearer '.length)
    if (token === undefined) return ANYBODY
    const { rights, ...principal } = JSON.parse(Buffer.from(token, 'base64url').toString()) as Pretended
    const { expiresAt = Number.POSITIVE_INFINITY } = principal
    if (expiresAt < Date.now()) throw new SluiceError('SESSION_EXPIRED')
    const audience = audiences.get(rights) ?? { claims: { rights: rights as string } }
    audiences.set(rights, audience)
    const identity = identities.get(token) ?? { principal: aPrincipal(principal), audience }
    identities.set(token, identity)
    return identity
  }
  const spy = vi.spyOn(Authentication.prototype, 'identify').mockImplementation(identify)
  onTestFinished(() => spy.mockRestore())
}

/** Headers of a request with a token. */
export function bearer(pretended: Pretended): { readonly authorization: string } {
  return { authorization: `Bearer ${Buffer.from(JSON.stringify(pretended)).toString('base64url')}` }
}
