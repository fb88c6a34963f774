/**
 * Write stall timeout: an outlet that has not drained (64 KiB, or one flush) within it is closed. Its peer is dead, or
 * slower than 2 KiB a second.
 */
export const WRITE_STALL_MS = 30_000

/**
 * Why a subscription ended, for the metrics. The last three are decisions of admission, of which its client is told:
 * - *expired*: its credentials are no longer valid. It is to come back with new ones;
 * - *revoked*: its credentials were revoked;
 * - *blocked*: its operation was blocked.
 */
export const CLOSE_REASONS = [
  'client',
  'complete',
  'stalled',
  'age',
  'shutdown',
  'failed',
  'expired',
  'revoked',
  'blocked',
] as const
export type CloseReason = (typeof CLOSE_REASONS)[number]

/**
 * Who else is written the same buffer, which decides what may be spent on it:
 * - *flush*: all live members of a group. The next flush follows it on their connections;
 * - *shared*: others who replay the same;
 * - *own*: nobody, or it is small.
 */
export type Sharing = 'flush' | 'shared' | 'own'

/** What the client behind an outlet may use of this process. */
export interface ClientShare {
  /** The same for all shares of one client; undefined: it is not counted. */
  readonly client: object | undefined
  /** Whether it has created fewer groups than it may. */
  readonly mayCreateGroup: boolean
  /** @throws SluiceError `RATE_LIMITED` where it may not create a group. */
  demandGroup(): void
  /** It has created a group. The returned function is called once, when that has ended. */
  takeGroup(): () => void
  /** CPU time that was used for it, in ms. */
  charge(ms: number): void
  /** Time until more CPU time may be used for it, in ms; 0: now. */
  readonly waitMs: number
}

/** Who is behind an outlet, for those who look into a running gateway. */
export interface OutletOwner {
  readonly identity: { readonly principal: { readonly id: string; readonly kind: string } }
  readonly address: string
  readonly requestId: string
  readonly operation: { readonly hash: string; readonly name: string | undefined } | undefined
}

/** Sink of a subscriber's bytes: the delivery engine's view of a socket. */
export interface Outlet {
  readonly owner?: OutletOwner | undefined
  /** Whether what it is given is compressed. */
  readonly isCompressed?: boolean
  /** Bytes that it was given and that its client's system has not taken; absent: it shares its socket. */
  readonly unsent?: number | undefined
  /** Absent: without limit. */
  readonly share?: ClientShare | undefined
  /**
   * Accepts the bytes in any case. False: it is full (the high-water mark is reached). Wait for
   * `OutletListener.drained`.
   */
  write(bytes: Buffer, sharing?: Sharing): boolean
  /** Why it is ended or destroyed next. */
  closing?(reason: CloseReason): void
  /** Ends after the written bytes and these. `isComplete`: they tell the client not to reconnect. */
  end(bytes?: Buffer, isComplete?: boolean): void
  /** Closes at once. Unsent bytes are lost. */
  destroy(): void
  /** Registers the listener. */
  attach(listener: OutletListener): void
}

/** Events of an outlet. */
export interface OutletListener {
  /** Results written to the outlet so far; absent: they are not counted. */
  readonly events?: number
  /** The outlet has drained. */
  drained(): void
  /** Still full, but not stalled: other streams on the same socket made progress. */
  progressed?(): void
  /** The outlet was closed. */
  gone(): void
  /** Ends the stream after the written bytes: by age, by a shutdown, or by a decision of admission. */
  end(reason: CloseReason): void
}
