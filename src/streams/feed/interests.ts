import type { Gap, StreamEvent } from '../event.ts'
import type { TopicFaults } from '../topic/faults.ts'
import type { Where } from '../topic/where.ts'
import { InterestIndex } from './interest-index.ts'

/** Somebody who wants to be told of the events that meet a `where`. Called synchronously, in the feed's order. */
export interface Interest<V> {
  /** `seq` is the event's place in the window. */
  onEvent(event: StreamEvent<V>, seq: number): void
  onGap(gap: Gap): void
  /** A batch, or a part of one, has been passed, whether or not any of it matched. */
  onProgress?(): void
  /**
   * A call threw, at this place of the topic, if it is known: it has missed something, so it is told nothing any more. It says so to
   * those whom it serves. Must not throw.
   */
  failed(error: unknown, at: Partial<Place>): void
}

interface Place {
  readonly partition: number
  readonly offset: number
}

/** All who want to be told of a feed's events. What one of them throws is its own end, and nobody else's. */
export class Interests<V> {
  readonly #index = new InterestIndex<V, Interest<V>>()
  /** With how to remove each. */
  readonly #all = new Map<Interest<V>, () => void>()
  /** Few, so that a batch need not ask everybody. */
  readonly #ofProgress = new Set<Interest<V>>()
  readonly #faults: TopicFaults

  constructor(faults: TopicFaults) {
    this.#faults = faults
  }

  get size(): number {
    return this.#all.size
  }

  /** @throws SluiceError `BAD_USER_INPUT` for a `where` with too many combinations. */
  add(where: Where<V>, interest: Interest<V>): () => void {
    return this.#add(interest, this.#index.add(where, interest))
  }

  addToGaps(interest: Interest<V>): () => void {
    return this.#add(interest, () => {})
  }

  tellEvent(event: StreamEvent<V>, seq: number): void {
    if (this.#index.size === 0) return
    this.#index.match(event.value, (interest) => {
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

  /** `at`: what has been passed. */
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

  /** One's failure stops neither the reader nor anybody else's events. */
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
