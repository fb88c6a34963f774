import type { Faults } from '../faults.ts'
import type { Group } from './group.ts'
import { RETRY_MAX_MS } from './retry.ts'
import { Sliced } from './sliced.ts'
import type { Subscriber } from './subscriber.ts'

const SWEEP_MS = 1_000
/** Frames are kept for those that come back for them: as long as the longest `retry:` says, and a little for the way. */
export const LINGER_MS = RETRY_MAX_MS + 1_000
/** Heartbeats of all members are spread over this many moments of an interval. */
const HEARTBEAT_SLOTS = 32

/** What groups and members need now and then: heartbeats and sweeps, in slices of time, and only where there is something. */
export class Upkeep implements Iterable<Subscriber> {
  readonly #slots: readonly Set<Subscriber>[] = Array.from({ length: HEARTBEAT_SLOTS }, () => new Set())
  /** Groups that have something to be swept: frames, or members that may be stuck. Idle groups cost nothing. */
  readonly #unswept = new Set<Group>()
  readonly #beats = new Sliced<Subscriber>(
    (member) => member.group.heartbeat(member),
    (member, error) => (member.replay ? member.group.clientFailed(member, error) : member.group.fail(error)),
  )
  readonly #sweeps = new Sliced<Group>(
    (group) => this.#sweep(group),
    (group, error) => group.fail(error),
  )
  readonly #intervals: readonly NodeJS.Timeout[]
  #joined = 0
  #beat = 0

  /** `onSweep` is called once a second. */
  constructor(heartbeatMs: number, faults: Faults, onSweep: () => void) {
    const every = (ms: number, act: () => void) => setInterval(() => faults.contain('flush', act), ms)
    this.#intervals = [
      every(heartbeatMs / HEARTBEAT_SLOTS, () => {
        this.#beats.add(this.#slots[this.#beat++ % HEARTBEAT_SLOTS] as Set<Subscriber>)
      }),
      every(SWEEP_MS, () => {
        this.#sweeps.add(this.#unswept)
        onSweep()
      }),
    ]
  }

  get members(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.size, 0)
  }

  *[Symbol.iterator](): Iterator<Subscriber> {
    for (const slot of this.#slots) yield* slot
  }

  add(member: Subscriber): void {
    member.slot = this.#joined++ % HEARTBEAT_SLOTS
    this.#slots[member.slot]?.add(member)
  }

  remove(member: Subscriber): void {
    this.#slots[member.slot]?.delete(member)
  }

  /** A group has something that its sweep is to look at. */
  sweepLater(group: Group): void {
    this.#unswept.add(group)
  }

  ended(group: Group): void {
    this.#unswept.delete(group)
  }

  stop(): void {
    for (const interval of this.#intervals) clearInterval(interval)
    this.#beats.stop()
    this.#sweeps.stop()
  }

  #sweep(group: Group): void {
    if (!group.sweep(performance.now(), LINGER_MS / SWEEP_MS)) this.#unswept.delete(group)
  }
}
