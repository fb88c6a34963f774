import type { Live } from '../live-map.ts'
import type { Quota } from './quotas.ts'
import { TokenBucket } from './token-bucket.ts'

/** Heap bytes of an account: an object, and four buckets with a number each. */
export const ACCOUNT_BYTES = 400

/** What a client is counted by: its credentials, or where it is. */
export type AccountKind = 'principal' | 'address'

/** What one principal, or one address, uses of this instance. */
export class Account implements Live {
  readonly kind: AccountKind
  /** For messages, at the beginning of a sentence. */
  readonly name: string
  readonly quota: Quota
  streams = 0
  reservations = 0
  operations = 0
  groups = 0
  readonly newStreams: TokenBucket
  readonly requests: TokenBucket
  readonly preparing: TokenBucket
  readonly replays: TokenBucket

  constructor(kind: AccountKind, name: string, quota: Quota) {
    this.kind = kind
    this.name = name
    this.quota = quota
    this.newStreams = new TokenBucket(quota.newStreams)
    this.requests = new TokenBucket(quota.requests)
    this.preparing = new TokenBucket(quota.preparing)
    this.replays = new TokenBucket(quota.replays)
  }

  /** It has nothing, and its buckets are full: as a new one. */
  isIdle(now: number): boolean {
    if (this.streams + this.reservations + this.operations + this.groups > 0) return false
    return [this.newStreams, this.requests, this.preparing, this.replays].every((bucket) => bucket.isFull(now))
  }
}
