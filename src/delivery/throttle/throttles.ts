import { LRUCache } from 'lru-cache'
import type { Faults } from '../../errors/faults.ts'
import { ThrottleRoom, type ThrottleStats } from '../../streams/throttle/room.ts'
import { Wheel } from './wheel.ts'

/** Budget of the keys and events that the throttles of all groups hold: some 60,000 keys with an event of 700 bytes. */
const GROUP_BYTES = 64 * 1024 * 1024
/** Budget of what clients hold that come back: for ten thousand of them some twenty keys each. */
const CATCH_UP_BYTES = 64 * 1024 * 1024

/** Budget of what is cached for clients that come back: bodies, and digests of the window. */
const BODY_BYTES = 16 * 1024 * 1024
const DIGEST_BYTES = 16 * 1024 * 1024
/** Of an entry of either cache, beside its content: its key, and its places in the cache. */
const ENTRY_BYTES = 300
const NUMBER_BYTES = 8

/** Bodies that clients who come back are shown, by group and event. */
class BodyCache extends LRUCache<string, Buffer> {
  constructor() {
    super({ maxSize: BODY_BYTES, sizeCalculation: ({ length }) => ENTRY_BYTES + length })
  }
}

/** Digests by group and run: sequence numbers in the window. */
export class DigestCache extends LRUCache<string, readonly number[]> {
  constructor() {
    super({ maxSize: DIGEST_BYTES, sizeCalculation: ({ length }) => ENTRY_BYTES + NUMBER_BYTES * length })
  }
}

/** What the throttles of a process share. */
export class Throttles {
  readonly wheel: Wheel
  readonly stats: ThrottleStats = { skipped: 0, early: 0 }
  readonly groups = new ThrottleRoom(GROUP_BYTES, this.stats)
  readonly catchUps = new ThrottleRoom(CATCH_UP_BYTES, this.stats)
  readonly bodies = new BodyCache()
  readonly digests = new DigestCache()

  constructor(faults: Faults) {
    this.wheel = new Wheel(faults)
  }

  /** Bytes of what is held, and of what is cached. */
  get bytes(): number {
    return this.held + this.bodies.calculatedSize + this.digests.calculatedSize
  }

  get held(): number {
    return this.groups.used + this.catchUps.used
  }
}
