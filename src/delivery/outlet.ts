/**
 * An outlet that has not taken what it was given (64 KiB, or one flush) for this long is closed: it is dead, or slower
 * than 2 KiB a second.
 */
export const WRITE_STALL_MS = 30_000

/** Why a subscription ended, for the metrics. */
export const CLOSE_REASONS = ['client', 'complete', 'stalled', 'age', 'shutdown', 'failed'] as const
export type CloseReason = (typeof CLOSE_REASONS)[number]

/** Where a subscriber's bytes go: a socket, as far as the delivery engine knows. */
export interface Outlet {
  /** Takes bytes, always. False: it is full, and wants no more before it calls `OutletListener.drained`. */
  write(bytes: Buffer): boolean
  /** Ends after what was written, and these bytes. `isComplete`: they tell the client not to reconnect. */
  end(bytes?: Buffer, isComplete?: boolean): void
  /** Ends at once, losing what was not sent. */
  destroy(): void
  /** Who is told when it has room again, and when it is gone. */
  attach(listener: OutletListener): void
}

/** What an outlet tells of itself. */
export interface OutletListener {
  /** It has room again. */
  drained(): void
  /** It has no room yet, but it does move: others who share its socket were served. */
  progressed?(): void
  /** It is gone. */
  gone(): void
  /** Ends the stream after what was written: it is too old, or the gateway shuts down. */
  end(reason: CloseReason): void
}
