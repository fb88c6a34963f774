import { onTestFinished, vi } from 'vitest'
import { Authentication } from '../../src/admission/authentication/authentication.ts'
import type { Identity } from '../../src/admission/principal.ts'
import { ANYBODY, anIdentity } from './admission.ts'

/**
 * Until the test ends, every gateway of this process believes who says by `Authorization: Bearer NAME` that it is the
 * principal NAME: for tests of what is counted for principals, not of how they are known.
 */
export function believePrincipals(): void {
  const identities = new Map<string, Identity>()
  const spy = vi.spyOn(Authentication.prototype, 'identify').mockImplementation(({ headers }) => {
    const id = headers.authorization?.replace(/^Bearer /, '')
    if (id === undefined) return ANYBODY
    const known = identities.get(id) ?? anIdentity({ id, tokenId: `jti of ${id}` })
    identities.set(id, known)
    return known
  })
  onTestFinished(() => spy.mockRestore())
}

/** Headers of a principal, and of an address behind a trusted proxy. */
export function as(principal: string, address?: string): Record<string, string> {
  return { authorization: `Bearer ${principal}`, ...(address !== undefined && at(address)) }
}

export function at(address: string): Record<string, string> {
  return { 'x-forwarded-for': address }
}
