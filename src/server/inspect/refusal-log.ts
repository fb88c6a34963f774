import type { AdmissionObserver, Refusal } from '../../admission/admission-observer.ts'
import type { Principal } from '../../admission/principal.ts'
import { Ring } from './ring.ts'

/** Refusals that are remembered, of some 200 bytes. */
const MAX_REFUSALS = 5_000
/** Principals whose refusals are counted by code: with some tens of codes each, 2 MB at most. */
const MAX_PRINCIPALS = 1_000
/** Requests whose principal is known and that have not been answered yet: they are in the same turn, mostly. */
const MAX_KNOWN = 100

/** A request that was refused. */
export interface RefusedRequest {
  readonly requestId: string
  readonly code: string
  /** Null: it is not known who it was. */
  readonly principal: string | null
  readonly address: string
  readonly at: string
}

/** What of a refused request its answer knows. */
export interface Refused {
  readonly requestId: string
  readonly address: string
  readonly principal: Principal | undefined
  readonly code: unknown
}

/** Why requests were refused: the last of them, by request id, and for each principal the number by code. */
export class RefusalLog implements AdmissionObserver {
  readonly ring = new Ring<RefusedRequest>(MAX_REFUSALS)
  readonly #byPrincipal = new Map<string, Map<string, number>>()
  readonly #known = new Map<string, Principal>()

  admitted(): void {}

  /** Admission says who it was, also where it refuses the credentials; the answer follows. */
  refused({ requestId, principal }: Refusal): void {
    if (requestId === undefined || !principal) return
    this.#known.set(requestId, principal)
    if (this.#known.size > MAX_KNOWN) for (const [oldest] of this.#known) return void this.#known.delete(oldest)
  }

  /** A request was answered with an error, and not run. */
  answered({ requestId, address, principal, code }: Refused): void {
    const who = principal ?? this.#known.get(requestId)
    this.#known.delete(requestId)
    const name = typeof code === 'string' ? code : 'OTHER'
    this.ring.add({ requestId, code: name, principal: who?.id ?? null, address, at: new Date().toISOString() })
    if (who) this.#count(keyOf(who), name)
  }

  /** By code, the number of a principal's refusals. The longest unrefused principals are forgotten. */
  of(principal: Pick<Principal, 'kind' | 'id'>): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#byPrincipal.get(keyOf(principal)) ?? [])
  }

  #count(key: string, code: string): void {
    const counts = this.#byPrincipal.get(key) ?? new Map<string, number>()
    counts.set(code, (counts.get(code) ?? 0) + 1)
    // The last to be refused is the last to be forgotten.
    this.#byPrincipal.delete(key)
    this.#byPrincipal.set(key, counts)
    if (this.#byPrincipal.size > MAX_PRINCIPALS)
      for (const [oldest] of this.#byPrincipal) return void this.#byPrincipal.delete(oldest)
  }
}

function keyOf({ kind, id }: Pick<Principal, 'kind' | 'id'>): string {
  return `${kind} ${id}`
}
