import type { Gap, StreamEvent } from '../event.ts'
import type { TopicFaults } from '../topic/faults.ts'
import type { Lookups } from '../topic/topic.ts'
import type { Selection } from '../topic/where.ts'
import type { Conditions } from './conditions.ts'
import { InterestIndex } from './interest-index.ts'
import { Observers, type Place } from './observers.ts'

/** Observer of the events that meet a selection. Its methods are called synchronously, in the feed's order. */
export interface Interest<V> {
  /** `seq` is the event's sequence number in the window. */
  onEvent(event: StreamEvent<V>, seq: number): void
  onGap(gap: Gap): void
  /** A batch, or a part of one, has been passed, whether or not any of it matched. */
  onProgress?(): void
  /**
   * A call threw, at this place of the topic if it is known. The interest has missed an event and is removed: it
   * receives no more calls, and has to report the failure to the streams it serves. Must not throw.
   */
  failed(error: unknown, at: Place): void
}

/** All interests of a feed. An exception of one removes that one, and affects no other. */
export class Interests<V> {
  readonly #index: InterestIndex<V, Interest<V>>
  readonly #observers: Observers<Interest<V>>

  constructor(faults: TopicFaults, lookups: Lookups) {
    this.#observers = new Observers(faults)
    this.#index = new InterestIndex(lookups)
  }

  get size(): number {
    return this.#observers.size
  }

  /** @throws SluiceError `BAD_USER_INPUT` for a selection with too many combinations. */
  add(selection: Selection<V> | Conditions<V>, interest: Interest<V>): () => void {
    return this.#observers.add(interest, this.#index.add(selection, interest))
  }

  addToGaps(interest: Interest<V>): () => void {
    return this.#observers.add(interest, () => {})
  }

  tellEvent(event: StreamEvent<V>, seq: number): void {
    if (this.#index.size === 0) return
    this.#index.match(event, (interest) => {
      try {
        interest.onEvent(event, seq)
      } catch (error) {
        this.#observers.failed(interest, error, event)
      }
    })
  }

  tellGap(gap: Gap): void {
    this.#observers.tell({ partition: gap.partition, offset: gap.from }, (interest) => interest.onGap(gap))
  }

  /** `at`: the position that has been passed. */
  tellProgress(at: Place = {}): void {
    this.#observers.tellProgress(at)
  }
}
