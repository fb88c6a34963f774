import type { Faults } from '../../errors/faults.ts'
import { ThrottleRoom, type ThrottleStats } from '../../streams/throttle/room.ts'
import { Wheel } from './wheel.ts'

/** Budget of the keys and events that the throttles of all groups hold: some 60,000 keys with an event of 700 bytes. */
const GROUP_BYTES = 64 * 1024 * 1024
/** Budget of what clients hold that come back: for ten thousand of them some twenty keys each. */
const CATCH_UP_BYTES = 64 * 1024 * 1024

/** What the throttles of a process share. */
export class Throttles {
  readonly wheel: Wheel
  readonly stats: ThrottleStats = { skipped: 0, early: 0 }
  readonly groups = new ThrottleRoom(GROUP_BYTES, this.stats)
  readonly catchUps = new ThrottleRoom(CATCH_UP_BYTES, this.stats)

  constructor(faults: Faults) {
    this.wheel = new Wheel(faults)
  }

  /** Bytes of what is held. */
  get bytes(): number {
    return this.groups.used + this.catchUps.used
  }
}
