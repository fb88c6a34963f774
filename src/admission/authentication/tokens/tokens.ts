import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Audience } from '../../../schema/context.ts'
import type { Identity, Principal } from '../../principal.ts'
import { expired } from '../refusal.ts'
import type { KeySource } from './key-set.ts'
import { type VerifierOptions, verifyToken } from './verify.ts'

/** Budget of verified tokens: some 20,000 of 1 KB, twice the streams that an instance has by default. */
const CACHE_BYTES = 64 * 1024 * 1024
/** Overhead of a token: its digest, place in the cache, identity, principal and set of scopes. */
const ENTRY_BYTES = 1_000

export interface TokensOptions extends VerifierOptions {
  readonly keys: KeySource
  readonly audienceOf: (principal: Principal) => Audience
  readonly now: () => number
}

interface Verified {
  readonly identity: Identity
  readonly expiresAt: number
  /** The key that it was signed with. */
  readonly keyId: string
  readonly bytes: number
}

/**
 * Verified tokens, by their digests: the cache holds nothing that would let anybody in. A token is verified once, also
 * when a thousand requests come with it at once. Its identity counts until it expires, or its key is withdrawn.
 * Refusals are not cached: whoever makes up tokens makes up different ones.
 */
export class Tokens {
  readonly stats = { verified: 0, known: 0, refused: 0 }
  readonly #options: TokensOptions
  readonly #verified = new LRUCache<string, Verified>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ bytes }) => bytes,
  })
  /** Verifications under way: no more than there are requests. */
  readonly #pending = new Map<string, Promise<Identity>>()

  constructor(options: TokensOptions) {
    this.#options = options
  }

  get cacheBytes(): number {
    return this.#verified.calculatedSize
  }

  /** @throws SluiceError `UNAUTHENTICATED`, `SESSION_EXPIRED`, or `NOT_READY` where its key cannot be fetched now. */
  identify(token: string): Identity | Promise<Identity> {
    const digest = hash('sha256', token, 'base64')
    const known = this.#verified.get(digest)
    if (known && this.#options.keys.has(known.keyId)) {
      this.#demandUnexpired(known.expiresAt)
      this.stats.known++
      return known.identity
    }
    const pending = this.#pending.get(digest) ?? this.#verify(token, digest)
    return pending
  }

  #verify(token: string, digest: string): Promise<Identity> {
    const pending = this.#verifyOnce(token, digest).finally(() => this.#pending.delete(digest))
    this.#pending.set(digest, pending)
    return pending
  }

  async #verifyOnce(token: string, digest: string): Promise<Identity> {
    const { audienceOf } = this.#options
    try {
      const { principal, expiresAt, keyId } = await verifyToken(token, this.#options)
      const identity = { principal, audience: audienceOf(principal) }
      this.#verified.set(digest, { identity, expiresAt, keyId, bytes: ENTRY_BYTES + 2 * token.length })
      this.#demandUnexpired(expiresAt)
      this.stats.verified++
      return identity
    } catch (error) {
      this.stats.refused++
      throw error
    }
  }

  #demandUnexpired(expiresAt: number): void {
    if (this.#options.now() >= expiresAt) throw expired('The token has expired: come back with a new one')
  }
}
