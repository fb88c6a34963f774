import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import type { SluiceError } from '../../../errors/codes.ts'
import type { Principal } from '../../principal.ts'
import { expired, refused } from '../refusal.ts'
import { principalOf } from './claims.ts'
import type { KeySource } from './key-set.ts'

/**
 * Types of tokens that give access: RFC 7519 and RFC 9068. An issuer signs others with the same keys, such as those of
 * a logout or a proof of possession.
 */
const TYPES: readonly unknown[] = ['jwt', 'at+jwt']
const MAX_KID_CHARS = 512

export interface VerifierOptions {
  readonly keys: KeySource
  readonly algorithms: readonly string[]
  readonly issuer: string | undefined
  /** Those of which a token must have one. */
  readonly audience: readonly string[] | undefined
  /** The allowed difference of clocks. */
  readonly toleranceMs: number
  readonly now: () => number
}

export interface VerifiedToken {
  readonly principal: Principal
  readonly expiresAt: number
  readonly keyId: string
}

/** @throws SluiceError `UNAUTHENTICATED`, `SESSION_EXPIRED` or `NOT_READY`, with a sentence that says what is wrong. */
export async function verifyToken(token: string, options: VerifierOptions): Promise<VerifiedToken> {
  const { keys, toleranceMs } = options
  const { alg, kid } = demandHeader(token, options.algorithms)
  for (const { id, key } of await keys.find(alg, kid)) {
    const claims = await claimsOf(token, key, options)
    if (!claims) continue
    const principal = principalOf(claims, toleranceMs)
    return { principal, expiresAt: principal.expiresAt as number, keyId: id }
  }
  throw refused('The token is signed with a key that is not valid here')
}

/** The header is not verified yet: it can only choose among the keys and algorithms that are configured. */
function demandHeader(token: string, algorithms: readonly string[]): { alg: string; kid: string | undefined } {
  const parts = token.split('.').length
  if (parts === 5) throw refused('The token is encrypted: a signed one is wanted')
  if (parts !== 3) throw refused('The token is no signed JWT')
  let header: ReturnType<typeof decodeProtectedHeader>
  try {
    header = decodeProtectedHeader(token)
  } catch {
    throw refused('The token is no signed JWT')
  }
  const { alg, kid, typ, cty } = header
  if (typeof alg !== 'string' || !algorithms.includes(alg)) {
    throw refused('The token is signed with an algorithm that is not accepted here')
  }
  if (
    typ !== undefined &&
    !TYPES.includes(
      String(typ)
        .toLowerCase()
        .replace(/^application\//, ''),
    )
  ) {
    throw refused('The token is of a type that gives no access ("typ")')
  }
  if (cty !== undefined) throw refused('The token contains another one ("cty")')
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > MAX_KID_CHARS)) {
    throw refused('The name of the key in the token is malformed ("kid")')
  }
  return { alg, kid }
}

/** @returns undefined if this is not the key. */
async function claimsOf(
  token: string,
  key: Parameters<typeof jwtVerify>[1],
  { algorithms, issuer, audience, toleranceMs, now }: VerifierOptions,
): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [...algorithms],
      ...(issuer !== undefined && { issuer }),
      ...(audience && { audience: [...audience] }),
      clockTolerance: toleranceMs / 1000,
      currentDate: new Date(now()),
      requiredClaims: ['exp'],
    })
    return payload
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return undefined
    throw refusalOf(error)
  }
}

function refusalOf(error: unknown): SluiceError {
  if (error instanceof errors.JWTExpired) return expired('The token has expired: come back with a new one')
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason } = error
    if (reason === 'missing') return refused(`The token has no claim "${claim}", which is needed here`)
    if (claim === 'nbf') return refused('The token is not valid yet ("nbf")')
    if (claim === 'iss') return refused('The token is of another issuer ("iss")')
    if (claim === 'aud') return refused('The token is for another audience ("aud")')
    return refused(`The claim "${claim}" of the token is not valid`)
  }
  if (error instanceof errors.JOSENotSupported) return refused('The token demands an extension that is not known here')
  // Whatever else there is about a token is the token's fault: none of it may get in, and none is an internal error.
  return refused('The token is no signed JWT')
}
