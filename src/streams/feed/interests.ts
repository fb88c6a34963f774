import type { Gap, StreamEvent } from '../event.ts'
import type { TopicFaults } from '../topic/faults.ts'
import type { Lookups } from '../topic/topic.ts'
import type { Selection } from '../topic/where.ts'
import type { Conditions } from './conditions.ts'
import { InterestIndex } from './interest-index.ts'

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
  failed(error: unknown, at: Partial<Place>): void
}

interface Place {
  readonly partition: number
  readonly offset: number
}

/** All interests of a feed. An exception of one removes that one, and affects no other. */
export class Interests<V> {
  readonly #index: InterestIndex<V, Interest<V>>
  /** Each with its removal. */
  readonly #all = new Map<Interest<V>, () => void>()
  /** The interests with `onProgress`: few, so that a batch calls only these. */
  readonly #ofProgress = new Set<Interest<V>>()
  readonly #faults: TopicFaults

  constructor(faults: TopicFaults, lookups: Lookups) {
    this.#faults = faults
    this.#index = new InterestIndex(lookups)
  }

  get size(): number {
    return this.#all.size
  }

  /** @throws SluiceError `BAD_USER_INPUT` for a selection with too many combinations. */
  add(selection: Selection<V> | Conditions<V>, interest: Interest<V>): () => void {
    return this.#add(interest, this.#index.add(selection, interest))
  }

  addToGaps(interest: Interest<V>): () => void {
    return this.#add(interest, () => {})
  }

  tellEvent(event: StreamEvent<V>, seq: number): void {
    if (this.#index.size === 0) return
    this.#index.match(event, (interest) => {
      try {
        interest.onEvent(event, seq)
      } catch (error) {
        this.#failed(interest, error, event)
      }
    })
  }

  tellGap(gap: Gap): void {
    this.#tell(this.#all.keys(), { partition: gap.partition, offset: gap.from }, (interest) => interest.onGap(gap))
  }

  /** `at`: the position that has been passed. */
  tellProgress(at: Partial<Place> = {}): void {
    if (this.#ofProgress.size > 0) this.#tell(this.#ofProgress, at, (interest) => interest.onProgress?.())
  }

  #add(interest: Interest<V>, removeFromIndex: () => void): () => void {
    const remove = (): void => {
      removeFromIndex()
      if (this.#all.get(interest) !== remove) return
      this.#all.delete(interest)
      this.#ofProgress.delete(interest)
    }
    this.#all.set(interest, remove)
    if (interest.onProgress) this.#ofProgress.add(interest)
    return remove
  }

  #tell(interests: Iterable<Interest<V>>, at: Partial<Place>, call: (interest: Interest<V>) => void): void {
    for (const interest of interests) {
      try {
        call(interest)
      } catch (error) {
        this.#failed(interest, error, at)
      }
    }
  }

  /** Containment: the failure of one interest stops neither the reader nor the others' events. */
  #failed(interest: Interest<V>, error: unknown, { partition, offset }: Partial<Place>): void {
    this.#all.get(interest)?.()
    const at = { ...(partition !== undefined && { partition }), ...(offset !== undefined && { offset }) }
    try {
      interest.failed(error, at)
    } catch (another) {
      this.#faults.report(another, 'A subscriber that failed could not be ended', at)
    }
  }
}
