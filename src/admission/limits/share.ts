import type { ClientShare } from '../../delivery/outlet.ts'
import type { SluiceError } from '../../errors/codes.ts'
import type { Principal } from '../principal.ts'
import type { Account } from './account.ts'
import { type Limited, type LimitReason, rateLimited } from './refusal.ts'
import type { TokenBucket } from './token-bucket.ts'

/** A share's view of the limits. */
export interface ShareHost {
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
  refused(refusal: LimitRefusal): void
}

export interface LimitRefusal {
  readonly error: SluiceError
  readonly reason: LimitReason
  readonly principal: Principal
  readonly address: string
}

/** Whose a share is. Accounts that are undefined have no limit. */
export interface ShareOf {
  readonly principal: Principal
  readonly address: string
  readonly byPrincipal: Account | undefined
  readonly byAddress: Account | undefined
}

/** Variables of the limits that can be configured. */
const VARIABLES: Partial<Record<LimitReason, string>> = {
  principal_streams: 'MAX_STREAMS_PER_PRINCIPAL',
  address_streams: 'MAX_STREAMS_PER_ADDRESS',
  principal_new_streams: 'NEW_STREAMS_PER_PRINCIPAL',
  address_new_streams: 'NEW_STREAMS_PER_ADDRESS',
  principal_groups: 'MAX_GROUPS_PER_PRINCIPAL',
  address_groups: 'MAX_GROUPS_PER_PRINCIPAL',
}

/** What each limit counts, for messages. */
const COUNTED = {
  streams: 'open streams',
  reservations: 'reserved streams',
  operations: 'operations on streams',
  groups: 'different subscriptions',
} as const satisfies Partial<Record<Limited, string>>
type Counted = keyof typeof COUNTED
const REQUESTS = 'requests a second'

/** CPU time that must be there before more is used, in ms: else what was just paid back would be a debt again at once. */
const CPU_ROOM_MS = 1
/** The shortest rest of a replay, in ms: a thousand of one client that wait would otherwise only ask whether they may. */
const MIN_REST_MS = 50

/**
 * A client's share of this instance. Requests and streams count for its principal and for its address; all else counts
 * for its principal, or for its address if it has none.
 */
export class Share implements ClientShare {
  readonly #host: ShareHost
  readonly #of: ShareOf

  constructor(host: ShareHost, of: ShareOf) {
    this.#host = host
    this.#of = of
  }

  /** @throws SluiceError `RATE_LIMITED`; a request that is refused is not counted. */
  takeRequest(): void {
    this.#demandBoth('requests', REQUESTS, ({ requests }) => requests)
    const now = this.#host.now()
    for (const account of [this.#of.byPrincipal, this.#of.byAddress]) account?.requests.charge(1, now)
  }

  /** @throws SluiceError `RATE_LIMITED`, if a request would be refused now. */
  demandRequest(): void {
    this.#demandBoth('requests', REQUESTS, ({ requests }) => requests)
  }

  /** @throws SluiceError `RATE_LIMITED`, if it could not open a stream now. */
  demandStream(): void {
    const { byPrincipal, byAddress } = this.#of
    if (byPrincipal) this.#demand(byPrincipal, 'streams')
    if (byAddress) this.#demand(byAddress, 'streams')
    this.#demandBoth('new_streams', 'new streams a second', ({ newStreams }) => newStreams)
  }

  /** @throws SluiceError `RATE_LIMITED` */
  takeStream(): void {
    this.demandStream()
    const now = this.#host.now()
    for (const account of [this.#of.byPrincipal, this.#of.byAddress]) {
      if (!account) continue
      account.newStreams.charge(1, now)
      account.streams++
    }
  }

  /** Called once after `takeStream`: its stream has ended, or was not opened. */
  release(): void {
    for (const account of [this.#of.byPrincipal, this.#of.byAddress]) if (account) account.streams--
  }

  /** @throws SluiceError `RATE_LIMITED` */
  takeReservation(): () => void {
    return this.#takeOwn('reservations')
  }

  /** @throws SluiceError `RATE_LIMITED` */
  takeOperation(): () => void {
    return this.#takeOwn('operations')
  }

  get client(): object | undefined {
    return this.#own
  }

  get mayCreateGroup(): boolean {
    return !this.#own || this.#own.groups < this.#own.quota.groups
  }

  demandGroup(): void {
    if (this.#own) this.#demand(this.#own, 'groups')
  }

  takeGroup(): () => void {
    return this.#count('groups')
  }

  charge(ms: number): void {
    this.#own?.replays.charge(ms, this.#host.now())
  }

  /** With jitter, so that the replays of one client do not all ask at once. */
  get waitMs(): number {
    const waitMs = this.#own?.replays.waitMs(CPU_ROOM_MS, this.#host.now()) ?? 0
    return waitMs === 0 ? 0 : Math.max(waitMs, MIN_REST_MS) * (1 + Math.random())
  }

  /** @throws SluiceError `RATE_LIMITED`, if no CPU time may be used now for preparing its operations. */
  demandPreparing(): void {
    const own = this.#own
    const waitMs = own?.preparing.waitMs(CPU_ROOM_MS, this.#host.now()) ?? 0
    if (!own || waitMs === 0) return
    const message = `${own.name} has used the CPU time that this instance has for operations of it that are new here`
    throw this.#refused(own, 'preparing', message, waitMs)
  }

  /** Charges CPU time that was used for preparing an operation. */
  chargePreparing(ms: number): void {
    this.#own?.preparing.charge(ms, this.#host.now())
  }

  /** What it is known by. */
  get #own(): Account | undefined {
    return this.#of.byPrincipal ?? this.#of.byAddress
  }

  #takeOwn(what: Counted): () => void {
    if (this.#own) this.#demand(this.#own, what)
    return this.#count(what)
  }

  #count(what: Counted): () => void {
    const own = this.#own
    if (own) own[what]++
    return () => {
      if (own) own[what]--
    }
  }

  #demand(account: Account, what: Counted): void {
    const limit = account.quota[what]
    if (account[what] < limit) return
    const message = `${account.name} has ${limit} ${COUNTED[what]}, as many as it may have on this instance`
    throw this.#refused(account, what, message)
  }

  #demandBoth(limited: Limited, what: string, bucketOf: (account: Account) => TokenBucket): void {
    const now = this.#host.now()
    for (const account of [this.#of.byPrincipal, this.#of.byAddress]) {
      const waitMs = account ? bucketOf(account).waitMs(1, now) : 0
      if (!account || waitMs === 0) continue
      throw this.#refused(
        account,
        limited,
        `${account.name} has more ${what} than it may have on this instance`,
        waitMs,
      )
    }
  }

  #refused(account: Account, limited: Limited, message: string, waitMs?: number): SluiceError {
    const reason = `${account.kind}_${limited}` as const
    const variable = VARIABLES[reason]
    const told = variable === undefined ? message : `${message} (${variable})`
    const error = rateLimited(reason, told, waitMs)
    const { principal, address } = this.#of
    this.#host.refused({ error, reason, principal, address })
    return error
  }
}
