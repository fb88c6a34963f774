import { hash, randomBytes } from 'node:crypto'
import type { Audience } from '../../../schema/context.ts'
import type { Identity, Principal } from '../../principal.ts'
import { expired, refused } from '../refusal.ts'
import { type KeyRecord, readRecords } from './keys-file.ts'

export interface ApiKeysOptions {
  readonly audienceOf: (principal: Principal) => Audience
  readonly now: () => number
}

/** A key of the file, with what it identifies. */
export interface ApiKey {
  readonly identity: Identity
  /** Of its hash: whether a ticket was given to this key, or to another one of the same id. */
  readonly fingerprint: string
  /** The whole record, to tell whether it has changed. */
  readonly text: string
}

/**
 * The API keys of partners, by their hashes. A hash of SHA-256 without salt is enough for keys: unlike a password they
 * are random, so that nobody can try them all.
 */
export class ApiKeys {
  readonly #options: ApiKeysOptions
  /**
   * Keys are looked up by a hash that only this process can compute. So the time of a lookup tells nothing about the
   * hashes in the file, as a comparison in constant time would not either.
   */
  readonly #secret = randomBytes(32).toString('hex')
  #byHash: ReadonlyMap<string, ApiKey> = new Map()
  #byId: ReadonlyMap<string, ApiKey> = new Map()
  readonly #listeners: ((ids: readonly string[]) => void)[] = []

  constructor(options: ApiKeysOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#byId.size
  }

  /** @throws SluiceError `UNAUTHENTICATED` or `SESSION_EXPIRED` */
  identify(key: string): Identity {
    const found = this.#byHash.get(this.#blind(hash('sha256', key)))
    if (!found) throw refused('The API key is not known here')
    return this.#valid(found).identity
  }

  /**
   * The key of this id, for what it has been given.
   * @throws SluiceError `UNAUTHENTICATED` if there is none now, `SESSION_EXPIRED`
   */
  withId(id: string): ApiKey {
    const found = this.#byId.get(id)
    if (!found) throw refused('The API key is not known here any more')
    return this.#valid(found)
  }

  has(id: string): boolean {
    return this.#byId.has(id)
  }

  /** Calls this with the ids of keys that are no longer what they were: their open streams have to end. */
  onKeysChanged(listener: (ids: readonly string[]) => void): void {
    this.#listeners.push(listener)
  }

  /**
   * Replaces all keys by those of this text. If that throws, they stay as they are.
   * @throws Error with one sentence that says what is wrong.
   */
  replace(text: string): void {
    const byHash = new Map<string, ApiKey>()
    const byId = new Map<string, ApiKey>()
    for (const record of readRecords(text)) {
      const key = this.#keyOf(record)
      byHash.set(this.#blind(record.sha256.toLowerCase()), key)
      byId.set(record.id, key)
    }
    const changed = [...this.#byId].filter(([id, { text: before }]) => byId.get(id)?.text !== before).map(([id]) => id)
    this.#byHash = byHash
    this.#byId = byId
    if (changed.length > 0) for (const listener of this.#listeners) listener(changed)
  }

  #keyOf(record: KeyRecord): ApiKey {
    const { id, sha256, scopes, bounds, history, expires } = record
    const principal: Principal = {
      id,
      kind: 'key',
      tokenId: undefined,
      scopes: new Set(scopes),
      bounds,
      historyMs: history === undefined ? undefined : history * 1000,
      expiresAt: expires === undefined ? undefined : Date.parse(expires),
    }
    const identity = { principal, audience: this.#options.audienceOf(principal) }
    const fingerprint = hash('sha256', sha256.toLowerCase(), 'base64url').slice(0, 22)
    return { identity, fingerprint, text: JSON.stringify({ ...record, sha256: fingerprint }) }
  }

  #valid(key: ApiKey): ApiKey {
    const { expiresAt = Number.POSITIVE_INFINITY } = key.identity.principal
    if (this.#options.now() >= expiresAt) throw expired('The API key has expired: come back with a new one')
    return key
  }

  #blind(digest: string): string {
    return hash('sha256', this.#secret + digest, 'base64')
  }
}
