import type { Identity, Principal } from '../../admission/principal.ts'
import { SluiceError } from '../../errors/codes.ts'
import type { Audience } from '../../schema/context.ts'

/** Limit of different rights on one stream: a client has one, or two after its scopes have changed. */
const MAX_AUDIENCES = 8

/**
 * The credentials by which a stream of several operations goes on. Its operations were admitted with the rights of
 * certain credentials, the audience. Newer credentials of the same principal prolong those with the same rights only: what
 * was admitted with other rights must not outlive the credentials that had them. The stream ends with the first of its
 * audiences whose credentials have expired.
 */
export class Sessions {
  /** Of each audience, the credentials that are valid longest. */
  readonly #newest = new Map<Audience, Principal>()

  constructor({ audience, principal }: Identity) {
    this.#newest.set(audience, principal)
  }

  /** When the stream ends, in ms since the epoch; undefined: it does not expire. */
  get expiresAt(): number | undefined {
    let first: number | undefined
    for (const { expiresAt } of this.#newest.values())
      if (expiresAt !== undefined && (first === undefined || expiresAt < first)) first = expiresAt
    return first
  }

  /** The credentials. */
  [Symbol.iterator](): IterableIterator<Principal> {
    return this.#newest.values()
  }

  /** A request came with these credentials. True: they are valid longer than those before. */
  renew({ audience, principal }: Identity): boolean {
    const own = this.#ownOf(audience)
    if (!own || endOf(principal) <= endOf(this.#newest.get(own) as Principal)) return false
    this.#newest.set(own, principal)
    return true
  }

  /** @throws SluiceError `TOO_MANY_OPERATIONS` where no operation with these rights can begin. */
  demandRoom({ audience }: Identity): void {
    if (this.#newest.size < MAX_AUDIENCES || this.#ownOf(audience)) return
    throw new SluiceError(
      'TOO_MANY_OPERATIONS',
      `A stream carries operations of ${MAX_AUDIENCES} different rights at most`,
    )
  }

  /** An operation begins with these rights. */
  begin({ audience, principal }: Identity): void {
    if (!this.#ownOf(audience)) this.#newest.set(audience, principal)
  }

  /** Equal audiences are one object as a rule. The cache of them is bounded, so that two may be equal. */
  #ownOf(audience: Audience): Audience | undefined {
    if (this.#newest.has(audience)) return audience
    const claims = JSON.stringify(audience.claims)
    return this.#newest.keys().find((own) => JSON.stringify(own.claims) === claims)
  }
}

function endOf({ expiresAt = Number.POSITIVE_INFINITY }: Principal): number {
  return expiresAt
}
