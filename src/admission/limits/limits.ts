import type { ClientShare } from '../../delivery/outlet.ts'
import { LiveMap } from '../live-map.ts'
import { NOBODY, type Principal } from '../principal.ts'
import type { StreamOwner } from '../stream-owner.ts'
import { ACCOUNT_BYTES, Account } from './account.ts'
import type { Quota, Quotas } from './quotas.ts'
import { LIMIT_REASONS, type LimitReason } from './refusal.ts'
import { type LimitRefusal, Share, type ShareHost } from './share.ts'

/** Budget of the accounts of principals, and of those of addresses: some 30,000 of each. */
const ACCOUNTS_BYTES = 16 * 1024 * 1024
/** Preparations that take less, in ms, are not charged: they would be most, and cost more to charge than they did. */
const FREE_MS = 0.05
/**
 * The machine's own addresses, and the peers of a unix socket. All IPv6 addresses that begin with zeros count as one
 * network, and `::1` is the only one of them that a client can have.
 */
const LOCAL = /^(?:127\.|0:0:0:0::\/64$|unix$|gone$)/

export interface LimitsOptions {
  /** Undefined: nothing is limited. */
  readonly quotas?: Quotas | undefined
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number
  /** Is told of every refusal by a limit. */
  readonly onRefused?: (refused: LimitRefusal) => void
}

/** Room of an open stream, and its client's share. */
export interface StreamRoom extends ClientShare {
  /** Called once, when it has ended or was not opened. */
  release(): void
}

/** What a client may use of this instance: by principal, and by address. Other instances count for themselves. */
export class Limits {
  readonly refusals: Record<LimitReason, number>
  readonly #quotas: Quotas | undefined
  readonly #host: ShareHost
  readonly #principals: LiveMap<Account> | undefined
  readonly #addresses: LiveMap<Account> | undefined

  constructor({ quotas, now = () => performance.now(), onRefused = () => {} }: LimitsOptions = {}) {
    this.refusals = Object.fromEntries(LIMIT_REASONS.map((reason) => [reason, 0])) as Record<LimitReason, number>
    this.#quotas = quotas
    this.#host = {
      now,
      refused: (refusal) => {
        this.refusals[refusal.reason]++
        onRefused(refusal)
      },
    }
    if (!quotas) return
    this.#principals = accounts('principal', quotas.principal)
    const { address, local } = quotas
    this.#addresses = accounts('address', address, (key) => (local && isLocal(key) ? local : address))
  }

  /** What a principal has now; undefined: it is not counted, or by its address. */
  accountOf({ kind, id }: Pick<Principal, 'kind' | 'id'>): Account | undefined {
    return kind === 'anonymous' ? undefined : this.#principals?.peek(`${kind} ${id}`)
  }

  /** Estimated heap bytes of what is counted. */
  get bytes(): number {
    return (this.#principals?.bytes ?? 0) + (this.#addresses?.bytes ?? 0)
  }

  /**
   * Before credentials are verified, which costs: whether the address has requests left.
   * @throws SluiceError `RATE_LIMITED`
   */
  demandAddress(address: string): void {
    if (this.#isLimited(NOBODY, address)) this.#shareOf(NOBODY, address).demandRequest()
  }

  /** Counts a request. @throws SluiceError `RATE_LIMITED`; a request that is refused is not counted. */
  demandRequest(principal: Principal, address: string): void {
    if (this.#isLimited(principal, address)) this.#shareOf(principal, address).takeRequest()
  }

  /**
   * Runs the preparation of an operation, of what no cache has, whose CPU time is charged. A client without CPU time is
   * refused, and slows nobody but itself.
   * @throws SluiceError `RATE_LIMITED`
   */
  preparing<T>(principal: Principal, address: string, prepare: () => T): T {
    if (!this.#isLimited(principal, address)) return prepare()
    const share = this.#shareOf(principal, address)
    share.demandPreparing()
    const began = performance.now()
    try {
      return prepare()
    } finally {
      const ms = performance.now() - began
      if (ms > FREE_MS) share.chargePreparing(ms)
    }
  }

  /** @throws SluiceError `RATE_LIMITED`, if a stream could not be opened now. */
  demandStream({ identity, address }: StreamOwner): void {
    if (this.#isLimited(identity.principal, address)) this.#shareOf(identity.principal, address).demandStream()
  }

  /**
   * Takes room for a stream before it is opened.
   * @throws SluiceError `RATE_LIMITED`
   */
  takeStream({ identity, address }: StreamOwner): StreamRoom {
    if (!this.#isLimited(identity.principal, address)) return ANY_ROOM
    const share = this.#shareOf(identity.principal, address)
    share.takeStream()
    return share
  }

  /** Takes room for a reservation. The returned function is called once, when it is none any more. */
  takeReservation({ identity, address }: StreamOwner): () => void {
    return this.#isLimited(identity.principal, address)
      ? this.#shareOf(identity.principal, address).takeReservation()
      : nothing
  }

  /** Takes room for an operation on a stream. The returned function is called once, when it has ended. */
  takeOperation({ identity, address }: StreamOwner): () => void {
    return this.#isLimited(identity.principal, address)
      ? this.#shareOf(identity.principal, address).takeOperation()
      : nothing
  }

  /** The share of a client; undefined: it has no limit. */
  shareOf({ identity, address }: StreamOwner): ClientShare | undefined {
    return this.#isLimited(identity.principal, address) ? this.#shareOf(identity.principal, address) : undefined
  }

  #isLimited({ kind }: Principal, address: string): boolean {
    return this.#quotas !== undefined && (kind !== 'anonymous' || this.#quotas.local !== undefined || !isLocal(address))
  }

  #shareOf(principal: Principal, address: string): Share {
    const now = this.#host.now()
    const { kind, id } = principal
    const isFree = this.#quotas?.local === undefined && isLocal(address)
    return new Share(this.#host, {
      principal,
      address,
      byPrincipal: kind === 'anonymous' ? undefined : this.#principals?.of(`${kind} ${id}`, now),
      byAddress: isFree ? undefined : this.#addresses?.of(address, now),
    })
  }
}

function accounts(kind: 'principal' | 'address', quota: Quota, quotaOf = (_key: string) => quota): LiveMap<Account> {
  const nameOf = (key: string): string =>
    kind === 'address' ? `The address ${key}` : `The principal "${key.slice(key.indexOf(' ') + 1)}"`
  return new LiveMap({
    maxBytes: ACCOUNTS_BYTES,
    entryBytes: ACCOUNT_BYTES,
    create: (key) => new Account(kind, nameOf(key), quotaOf(key)),
    rest: new Account(kind, `Whoever is no ${kind} that is counted alone, for lack of room,`, quota),
  })
}

function isLocal(address: string): boolean {
  return LOCAL.test(address)
}

function nothing(): void {}

const ANY_ROOM: StreamRoom = {
  client: undefined,
  mayCreateGroup: true,
  demandGroup: nothing,
  takeGroup: () => nothing,
  charge: nothing,
  waitMs: 0,
  release: nothing,
}
