import { CLOSE_REASONS, type CloseReason } from '../delivery/outlet.ts'
import type { StreamObserver } from './stream-observer.ts'
import type { StreamSocket } from './stream-socket.ts'

/** Counts streams as they open and as they end: those that were opened, less all that ended, are open. */
export class StreamCounts implements StreamObserver {
  /** Streams opened so far. */
  total = 0
  readonly ends: Readonly<Record<CloseReason, number>>
  readonly #ends: Record<CloseReason, number>

  constructor() {
    this.#ends = Object.fromEntries(CLOSE_REASONS.map((reason) => [reason, 0])) as Record<CloseReason, number>
    this.ends = this.#ends
  }

  opened(): void {
    this.total++
  }

  closed(_stream: StreamSocket, reason: CloseReason): void {
    this.#ends[reason]++
  }
}
