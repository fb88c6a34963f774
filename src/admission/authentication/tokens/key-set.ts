import { calculateJwkThumbprint, importJWK, type JWK } from 'jose'
import { z } from 'zod'

/** Limit of keys in a set: issuers have two to five. */
export const MAX_KEYS = 100
/** Limit of keys that a token is tried with: those of a name, or of all that have none. Each costs a verification. */
const MAX_CANDIDATES = 4
const MIN_RSA_BITS = 2048

/** For each algorithm, the type of key that it needs: a token's algorithm never makes a key something else. */
const KEY_TYPES: Readonly<Record<string, { kty: string; crv?: string; minBytes?: number }>> = {
  RS256: { kty: 'RSA' },
  RS384: { kty: 'RSA' },
  RS512: { kty: 'RSA' },
  PS256: { kty: 'RSA' },
  PS384: { kty: 'RSA' },
  PS512: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  // RFC 7518 section 3.2: no shorter than the hash.
  HS256: { kty: 'oct', minBytes: 32 },
  HS384: { kty: 'oct', minBytes: 48 },
  HS512: { kty: 'oct', minBytes: 64 },
}

/** What is read of a key: RFC 7517 section 4, and the numbers that keys are made of. */
const Jwk = z.object({
  kty: z.string(),
  kid: z.string().optional(),
  use: z.string().optional(),
  key_ops: z.array(z.string()).optional(),
  alg: z.string().optional(),
  crv: z.string().optional(),
  n: z.string().optional(),
  e: z.string().optional(),
  x: z.string().optional(),
  y: z.string().optional(),
  k: z.string().optional(),
  d: z.unknown().optional(),
})
type ReadJwk = z.output<typeof Jwk>

type Imported = Awaited<ReturnType<typeof importJWK>>

/** A key by the algorithm that it is to be used with. */
export interface Candidate {
  /** The key's thumbprint. */
  readonly id: string
  readonly key: Imported
}

interface VerificationKey {
  readonly id: string
  /** Undefined: it may be the key of any token. */
  readonly kid: string | undefined
  readonly byAlgorithm: ReadonlyMap<string, Imported>
}

/** Where the keys of tokens come from: a file, or a URL. */
export interface KeySource {
  /**
   * The keys that a token of this algorithm and key name may be signed with.
   * @throws SluiceError `NOT_READY` if that cannot be told now.
   */
  find(algorithm: string, kid: string | undefined): readonly Candidate[] | Promise<readonly Candidate[]>
  /** Whether this key is still one of them. */
  has(id: string): boolean
}

/** Public keys, or shared secrets, that verify signatures. */
export class KeySet implements KeySource {
  readonly #keys: readonly VerificationKey[]
  readonly #ids: ReadonlySet<string>

  constructor(keys: readonly VerificationKey[]) {
    this.#keys = keys
    this.#ids = new Set(keys.map(({ id }) => id))
  }

  get size(): number {
    return this.#keys.length
  }

  find(algorithm: string, kid: string | undefined): readonly Candidate[] {
    const found: Candidate[] = []
    for (const each of this.#keys) {
      const key = each.byAlgorithm.get(algorithm)
      if (!key || (kid !== undefined && each.kid !== undefined && each.kid !== kid)) continue
      found.push({ id: each.id, key })
      if (found.length === MAX_CANDIDATES) break
    }
    return found
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }
}

export interface ReadKeys {
  readonly keys: KeySet
  /** Why some cannot be used, a sentence each. */
  readonly problems: readonly string[]
}

/**
 * Reads the keys of a JWKS that these algorithms can use. Those for something else (`use: enc`) are left out in
 * silence, those that are wrong with a sentence.
 */
export async function readKeys(jwks: readonly unknown[], algorithms: readonly string[]): Promise<ReadKeys> {
  const problems: string[] = []
  const keys: VerificationKey[] = []
  for (const [i, jwk] of jwks.slice(0, MAX_KEYS).entries()) {
    try {
      const key = await readKey(jwk, algorithms)
      if (key) keys.push(key)
    } catch (error) {
      problems.push(`key ${i + 1} ${error instanceof KeyProblem ? error.message : 'cannot be read'}`)
    }
  }
  if (jwks.length > MAX_KEYS) problems.push(`there are more than ${MAX_KEYS} keys`)
  return { keys: new KeySet(keys), problems }
}

async function readKey(given: unknown, algorithms: readonly string[]): Promise<VerificationKey | undefined> {
  const read = Jwk.safeParse(given)
  if (!read.success) throw new KeyProblem('is no JWK')
  const jwk = read.data
  const isSymmetric = jwk.kty === 'oct'
  if (!isSymmetric && jwk.d !== undefined) throw new KeyProblem('is a private key: the public one is wanted')
  if (isSymmetric && !algorithms.some((algorithm) => algorithm.startsWith('HS'))) {
    throw new KeyProblem('is a shared secret, and AUTH_ALGORITHMS has no HS256, HS384 or HS512')
  }
  if (jwk.use !== undefined && jwk.use !== 'sig') return undefined
  if (jwk.key_ops && !jwk.key_ops.includes('verify')) return undefined
  const byAlgorithm = new Map<string, Imported>()
  for (const algorithm of algorithms) {
    if (fits(jwk, algorithm)) byAlgorithm.set(algorithm, await imported(jwk, algorithm))
  }
  if (byAlgorithm.size === 0) return undefined
  return { id: await calculateJwkThumbprint(numbersOf(jwk) as JWK), kid: jwk.kid, byAlgorithm }
}

function fits({ kty, crv, alg }: ReadJwk, algorithm: string): boolean {
  const type = KEY_TYPES[algorithm]
  return type?.kty === kty && (type.crv === undefined || type.crv === crv) && (alg === undefined || alg === algorithm)
}

async function imported(jwk: ReadJwk, algorithm: string): Promise<Imported> {
  const minBytes = KEY_TYPES[algorithm]?.minBytes ?? 0
  if (minBytes > 0 && Buffer.from(jwk.k ?? '', 'base64url').length < minBytes) {
    throw new KeyProblem(`is shorter than the ${minBytes} bytes that ${algorithm} needs`)
  }
  const key = await importJWK(numbersOf(jwk) as JWK, algorithm)
  const { modulusLength = MIN_RSA_BITS } = 'algorithm' in key ? (key.algorithm as { modulusLength?: number }) : {}
  if (modulusLength < MIN_RSA_BITS)
    throw new KeyProblem(`has ${modulusLength} bits: at least ${MIN_RSA_BITS} are wanted`)
  return key
}

/** Only what the key is: its other members are checked above, and importing would check some of them again. */
function numbersOf({ kty, crv, n, e, x, y, k }: ReadJwk): Partial<JWK> {
  return Object.fromEntries(Object.entries({ kty, crv, n, e, x, y, k }).filter(([, value]) => value !== undefined))
}

class KeyProblem extends Error {}
