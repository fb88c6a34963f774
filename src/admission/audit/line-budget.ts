import { type BucketSize, TokenBucket } from '../limits/token-bucket.ts'
import type { Live } from '../live-map.ts'

/** Log lines of one client, or of all: those beyond its rate are counted, and told with the next line. */
export class LineBudget implements Live {
  /** Lines that were not written. */
  unlogged = 0
  readonly #bucket: TokenBucket

  constructor(size: BucketSize) {
    this.#bucket = new TokenBucket(size)
  }

  hasRoom(now: number): boolean {
    return this.#bucket.waitMs(1, now) === 0
  }

  /** Takes a line. @returns the number of those that were not written since the last. */
  take(now: number): number {
    this.#bucket.charge(1, now)
    const { unlogged } = this
    this.unlogged = 0
    return unlogged
  }

  isIdle(now: number): boolean {
    return this.#bucket.isFull(now)
  }
}
