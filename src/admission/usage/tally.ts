import type { Live } from '../live-map.ts'
import type { Principal } from '../principal.ts'
import { add, type Counts, isNothing, noCounts } from './counts.ts'

/** Heap bytes of a tally: an object, and four of counters. */
export const TALLY_BYTES = 720

/** What one principal has used of this instance, for metrics and for records. */
export class Tally implements Live {
  readonly id: string
  readonly kind: Principal['kind'] | 'other'
  /** Open streams. */
  streams = 0
  /** Since its last record. */
  readonly unsent = noCounts()
  /** When that began, in ms since the epoch. */
  unsentSince: number
  /** Since the metrics were last read. */
  readonly unread = noCounts()
  /** Since the start, or since it was last evicted. */
  readonly total = noCounts()
  /** Shown by its name. */
  readonly shown = noCounts()
  /** In all, in bytes: what it is ranked by. */
  traffic = 0

  constructor(kind: Tally['kind'], id: string, now: number) {
    this.kind = kind
    this.id = id
    this.unsentSince = now
  }

  /** `isSent`: there are records. */
  count(counts: Counts, isSent: boolean): void {
    if (isSent) add(this.unsent, counts)
    add(this.unread, counts)
    add(this.total, counts)
    this.traffic += counts.bytes
  }

  /** Everything was sent. */
  isIdle(): boolean {
    return this.streams === 0 && isNothing(this.unsent)
  }
}
