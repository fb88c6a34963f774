import type { Throttling } from '../../schema/throttle.ts'
import type { Gap, StreamEvent } from '../../streams/event.ts'
import type { Feed } from '../../streams/feed/feed.ts'
import type { Settled } from '../../streams/feed/settled.ts'
import { eventBytes } from '../../streams/feed/size.ts'
import type { Restarts } from '../../streams/feed/window.ts'
import { Throttle } from '../../streams/throttle/throttle.ts'
import { fingerprintOf } from './fingerprint.ts'
import type { Throttles } from './throttles.ts'
import type { Timed } from './wheel.ts'

/**
 * The throttle of a group: which of its events go out, and when. What is held is behind the group's settled position, so
 * that nothing of it is lost with the group: whoever comes back reads it again.
 */
export class GroupThrottle {
  readonly throttling: Throttling
  readonly #feed: Feed
  readonly #shared: Throttles
  readonly #throttle: Throttle<StreamEvent>
  readonly #timed: Timed
  /** The last event that was offered. */
  #last: StreamEvent | undefined
  #restarts: Restarts

  /** `timed` is told when an event may be due. */
  constructor(feed: Feed, throttling: Throttling, shared: Throttles, timed: Timed) {
    const { validator } = feed.topic
    this.throttling = throttling
    this.#feed = feed
    this.#shared = shared
    this.#throttle = new Throttle(throttling, shared.groups, (event) => eventBytes(event, validator))
    this.#timed = timed
    this.#restarts = feed.window.restarts
  }

  get isHolding(): boolean {
    return this.#throttle.held > 0
  }

  offer(event: StreamEvent): void {
    this.#last = event
    this.#restarts = this.#feed.window.restarts
    this.#throttle.offer(this.throttling.keyOf(event), event, performance.now())
  }

  /** The event that goes out now, if any. It is held until `released`. */
  next(): StreamEvent | undefined {
    return this.#throttle.next(performance.now())
  }

  released(): void {
    this.#throttle.released(performance.now())
  }

  /** All that is held goes out now. */
  flush(): void {
    this.#throttle.flush()
  }

  /** Sets when the group is to ask again. */
  schedule(): void {
    const { due } = this.#throttle
    if (due !== undefined) this.#shared.wheel.schedule(this.#timed, due)
  }

  /** Whether this event goes out with the group later. */
  holds(event: StreamEvent): boolean {
    return this.#throttle.holds(this.throttling.keyOf(event), event)
  }

  /** The position that passes nothing held, given the one up to which events have been offered. */
  settle(offered: Settled): Settled {
    const vector = this.#throttle.below(offered.vector)
    if (vector === offered.vector) return offered
    const { partition = 0 } = this.#last ?? {}
    // After a restart the window is of another log than what is held.
    const isSame = offered.restarts === this.#feed.window.restarts
    const before = isSame ? fingerprintOf(this.#feed, vector, partition) : undefined
    return { ...offered, vector, cursor: this.#feed.cursorAt(vector, before) }
  }

  /** The position before a gap that the feed has passed. */
  before({ partition, from }: Gap): Settled {
    const { head, window } = this.#feed
    const vector = head.with(partition, from)
    return { cursor: this.#feed.cursorAt(vector), vector, seq: window.nextSeq, restarts: this.#restarts }
  }

  end(): void {
    this.#shared.wheel.cancel(this.#timed)
    this.#throttle.clear()
  }
}
