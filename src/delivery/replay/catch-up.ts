import { covers, maxOf, type Vector } from '../../streams/cursor/vector.ts'
import type { StreamEvent } from '../../streams/event.ts'
import type { Feed } from '../../streams/feed/feed.ts'
import type { Position } from '../../streams/feed/position.ts'
import { eventBytes } from '../../streams/feed/size.ts'
import { Conflation } from '../../streams/throttle/conflation.ts'
import type { ThrottleRoom } from '../../streams/throttle/room.ts'
import type { OwnFrames } from '../frames/own-frames.ts'
import type { Execution } from '../render/execution.ts'
import { fingerprintOf } from '../throttle/fingerprint.ts'
import type { GroupThrottle } from '../throttle/group-throttle.ts'
import type { History } from './history.ts'

/** Events looked at in one go, of those that the group may select: less than a millisecond. */
const MAX_LOOKED = 2048
/** Events that are written in one go: they fill a write, mostly. */
const ENOUGH = 64

export interface CatchUpGroup {
  readonly feed: Feed
  readonly history: History
  readonly execution: Execution
  readonly throttle: GroupThrottle
  readonly room: ThrottleRoom
}

/**
 * The past of a throttled group, for one member: conflated, whatever its length. The member reads all that its group has
 * read, and is shown what the group is not going to show it: what the group holds comes with the group.
 */
export class CatchUp {
  readonly #group: CatchUpGroup
  readonly #conflation: Conflation<StreamEvent>
  /** What the member was told last: no later block names less. */
  #named: Vector
  #cursor: string
  /** Gaps are to be told after what is held: the position is after them, and its cursor must not be. */
  #isBeforeGaps = false
  /** A body that was awaited. */
  #rendered: { readonly event: StreamEvent; readonly body: Buffer | undefined } | undefined
  #lastPartition = 0

  constructor(group: CatchUpGroup, position: Position) {
    this.#group = group
    this.#named = [...position.vector]
    this.#cursor = position.cursor
    this.#conflation = new Conflation(group.throttle.throttling, group.room)
  }

  /** There are events to be written. */
  get isReady(): boolean {
    return this.#conflation.ready > 0
  }

  get isEnough(): boolean {
    return this.#conflation.ready >= ENOUGH
  }

  /** Has the events of the window from `seq` to before `limit` conflated: some of them, as `readWindow` does. */
  readWindow(position: Position, seq: number, limit: number): void {
    const { feed, history } = this.#group
    for (let at = seq, looked = 0; ; at++, looked++) {
      at = history.next(at, limit)
      position.passTo(at)
      if (at === limit || looked === MAX_LOOKED || this.isEnough) return
      const event = feed.window.at(at) as StreamEvent
      if (position.take(event)) this.offer(event, false)
      position.moveTo(at + 1)
    }
  }

  /** Takes an event that the member has not seen. `isOfPage`: it is of a page of the log. */
  offer(event: StreamEvent, isOfPage: boolean): void {
    const { execution, throttle, feed } = this.#group
    if (!execution.selects(event)) return
    this.#lastPartition = event.partition
    // An event of the window is in memory already.
    const bytes = isOfPage ? eventBytes(event, feed.topic.validator) : 0
    this.#conflation.offer(throttle.throttling.keyOf(event), event, bytes, isOfPage)
  }

  /** The member has read as far as its group: what the group does not hold is to be written. Whether there is any. */
  showRest(): boolean {
    this.#conflation.show((event) => this.#group.throttle.holds(event))
    return this.isReady
  }

  /** Gaps were found: all that is held is written before they are told. False: there is nothing. */
  showAll(): boolean {
    this.#conflation.show()
    this.#isBeforeGaps = this.isReady
    return this.isReady
  }

  /** Gaps were told, and the position after them. */
  passedGaps(position: Position): void {
    this.#isBeforeGaps = false
    this.#named = [...position.vector]
    this.#cursor = position.cursor
  }

  /** Gathers frames of what is to be written, until the write is large enough. A promise: go on when it is settled. */
  write(frames: OwnFrames, position: Position): Promise<void> | undefined {
    for (let event = this.#conflation.next(); event; event = this.#conflation.next()) {
      if (frames.isEnough) return undefined
      const body = this.#rendered?.event === event ? this.#rendered.body : this.#group.execution.bodyOf(event)
      if (body instanceof Promise) return this.#await(event, body)
      this.#rendered = undefined
      this.#conflation.released()
      if (body) frames.add(this.cursor(position), body)
    }
    return undefined
  }

  /** The cursor of the member: no later than what is held, and no earlier than what it was told before. */
  cursor(position: Position): string {
    if (this.#isBeforeGaps) return this.#cursor
    const below = this.#conflation.below(position.vector)
    if (below === position.vector) {
      this.#named = [...below]
      this.#cursor = position.cursor
    } else {
      this.#named = maxOf(this.#named, below)
      const { feed } = this.#group
      this.#cursor = position.cursorAt(this.#named, fingerprintOf(feed, this.#named, this.#lastPartition))
    }
    return this.#cursor
  }

  /** Whether a position passes nothing less than what the member was told. */
  isCoveredBy(settled: Vector): boolean {
    return covers(settled, this.#named)
  }

  end(): void {
    this.#conflation.clear()
    this.#rendered = undefined
  }

  async #await(event: StreamEvent, pending: Promise<Buffer>): Promise<void> {
    this.#rendered = { event, body: await pending }
  }
}
