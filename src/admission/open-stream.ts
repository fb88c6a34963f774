import type { StreamOwner } from './stream-owner.ts'

/** What admission sees of an open stream, of any transport. */
export interface OpenStream {
  readonly owner: StreamOwner
  /** In milliseconds of the monotonic clock. */
  readonly openedAt: number
  /** Bytes, as they are sent. */
  readonly bytesWritten: number
  /** Results. */
  readonly events: number
}
