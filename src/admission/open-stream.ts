import type { StreamOwner } from './stream-owner.ts'

/** How results reach their client: an event stream or parts of one operation, or an event stream of several. */
export type Transport = 'distinct' | 'multipart' | 'single'

/** What admission sees of an open stream, of any transport. */
export interface OpenStream {
  readonly owner: StreamOwner
  readonly transport: Transport
  /** In milliseconds of the monotonic clock. */
  readonly openedAt: number
  /** Bytes, as they are sent. */
  readonly bytesWritten: number
  /** Results. */
  readonly events: number
}
