import { Sliced } from './sliced.ts'

/** Number of slots in an interval, over which the heartbeats of all members are spread. */
const HEARTBEAT_SLOTS = 32

interface Beating {
  slot: number
  heartbeat(): void
  /** `heartbeat` threw. Must not throw. */
  failed(error: unknown): void
}

/** Calls `heartbeat` of every member once in an interval, spread over the slots. */
export class Heartbeats<M extends Beating> {
  readonly #slots: readonly Set<M>[] = Array.from({ length: HEARTBEAT_SLOTS }, () => new Set())
  readonly #beats = new Sliced<M>(
    (member) => member.heartbeat(),
    (member, error) => member.failed(error),
  )
  readonly #timer: NodeJS.Timeout
  #joined = 0
  #beat = 0
  size = 0

  constructor(intervalMs: number) {
    this.#timer = setInterval(() => this.#next(), intervalMs / HEARTBEAT_SLOTS)
  }

  add(member: M): void {
    member.slot = this.#joined++ % HEARTBEAT_SLOTS
    this.#slots[member.slot]?.add(member)
    this.size++
  }

  remove(member: M): void {
    if (this.#slots[member.slot]?.delete(member)) this.size--
  }

  *[Symbol.iterator](): Iterator<M> {
    for (const slot of this.#slots) yield* slot
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#beats.stop()
  }

  #next(): void {
    this.#beats.add(this.#slots[this.#beat++ % HEARTBEAT_SLOTS] as Set<M>)
  }
}
