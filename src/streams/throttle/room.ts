/** Heap bytes of a key's state: an entry, its places in a map and in two chains. */
export const KEY_BYTES = 320
/** Of each character of a key that is text. */
const CHAR_BYTES = 2

/** What throttles did, counted for all of them. */
export interface ThrottleStats {
  /** Events that were not shown: another one of their key was. */
  skipped: number
  /** Keys that were dropped before their interval was over, for lack of room: their events go out early. */
  early: number
}

/** The memory of throttles: one budget for all, in bytes. */
export class ThrottleRoom {
  readonly limit: number
  readonly stats: ThrottleStats
  used = 0

  constructor(limit: number, stats: ThrottleStats = { skipped: 0, early: 0 }) {
    this.limit = limit
    this.stats = stats
  }
}

export function keyBytes(key: unknown): number {
  return KEY_BYTES + (typeof key === 'string' ? key.length * CHAR_BYTES : 0)
}
