import { retryBlock } from './frame.ts'
import type { Group } from './group.ts'
import type { Replay } from './replay.ts'
import { retryMs } from './retry.ts'

/**
 * An outlet that has not taken what it was given (64 KiB, or one flush) for this long is closed: it is dead, or slower
 * than 2 KiB a second.
 */
export const WRITE_STALL_MS = 30_000

/** Where a subscriber's bytes go: a socket, as far as the delivery engine knows. */
export interface Outlet {
  /** Takes bytes, always. False: it is full, and wants no more before it calls `Member.drained`. */
  write(bytes: Buffer): boolean
  /** Ends after what was written, and these bytes. */
  end(bytes?: Buffer): void
  /** Ends at once, losing what was not sent. */
  destroy(): void
  /** Who is told when it has room again, and when it is gone. */
  attach(member: Member): void
}

/** What an outlet tells of itself. */
export interface Member {
  /** It has room again. */
  drained(): void
  /** It has no room yet, but it does move: others who share its socket were served. */
  progressed?(): void
  /** It is gone. */
  gone(): void
  /** Ends the stream after what was written, and these bytes: it is too old, or the gateway shuts down. */
  end(reason: CloseReason, bytes?: Buffer): void
}

/** Why a stream ended, for the metrics. */
export const CLOSE_REASONS = ['client', 'complete', 'stalled', 'age', 'shutdown', 'failed'] as const
export type CloseReason = (typeof CLOSE_REASONS)[number]

/**
 * One client of a group: a position in the group's frame log, not a queue. *Live* at the head, where a flush writes
 * the same bytes to everybody; *lagging* from the moment its outlet is full until it has read up to the head again;
 * *replaying* where it wants what the frame log does not have.
 */
export class Subscriber implements Member {
  readonly group: Group
  readonly outlet: Outlet
  /** Number of the next frame it wants. */
  position = 0
  /** Since when it waits for its outlet, in milliseconds of the monotonic clock; 0: it does not. */
  fullSince = 0
  /** Set while it wants what the frame log does not have. */
  replay: Replay | undefined
  /** Where it was when its outlet was found full: it goes on from there, should the frame log have let go of that. */
  cursor = ''
  /** The position that its last heartbeat told in a result. */
  told = ''
  /** Which of the engine's heartbeat slots it is in. */
  slot = 0
  closed = false

  constructor(group: Group, outlet: Outlet) {
    this.group = group
    this.outlet = outlet
  }

  get lagging(): boolean {
    return this.fullSince !== 0
  }

  drained(): void {
    if (this.closed || !this.lagging) return
    try {
      this.group.readOn(this)
    } catch (error) {
      this.group.clientFailed(this, error)
    }
  }

  progressed(): void {
    if (this.lagging) this.fullSince = performance.now()
  }

  gone(): void {
    this.#leave('client')
  }

  /** Ends the stream after what was written. */
  end(reason: CloseReason, bytes?: Buffer): void {
    if (this.#leave(reason)) this.outlet.end(bytes)
  }

  /** Ends the stream at once: for an outlet that takes nothing more. */
  cut(reason: CloseReason): void {
    if (this.#leave(reason)) this.outlet.destroy()
  }

  /** Ends the stream, as far as that can be: its client is to come back to where it was. Never throws. */
  fail(): void {
    if (!this.#leave('failed')) return
    try {
      this.outlet.end(retryBlock(retryMs()))
    } catch {
      // What was thrown first has been told, and this outlet is of no use any more.
      try {
        this.outlet.destroy()
      } catch {}
    }
  }

  #leave(reason: CloseReason): boolean {
    if (this.closed) return false
    this.closed = true
    this.group.leave(this, reason)
    return true
  }
}
