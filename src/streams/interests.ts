import type { Gap, StreamEvent } from './event.ts'
import type { Faults } from './faults.ts'
import { InterestIndex } from './interest-index.ts'
import type { Where } from './topic.ts'

/** Somebody who wants to be told of the events that meet a `where`. Called synchronously, in the feed's order. */
export interface Interest<V> {
  /** `seq` is the event's place in the window. */
  onEvent(event: StreamEvent<V>, seq: number): void
  onGap(gap: Gap): void
  /** A batch, or a part of one, has been passed, whether or not any of it matched. */
  onProgress?(): void
  /** One of the others threw: something was missed, so whatever it stands for has to end, or to start again. */
  onFailure?(error: unknown): void
}

/** All who want to be told of a feed's events. What one of them throws is its own end, and nobody else's. */
export class Interests<V> {
  readonly #index = new InterestIndex<V, Interest<V>>()
  readonly #all = new Set<Interest<V>>()
  /** Few, so that a batch need not ask everybody. */
  readonly #ofProgress = new Set<Interest<V>>()
  readonly #faults: Faults

  constructor(faults: Faults) {
    this.#faults = faults
  }

  get size(): number {
    return this.#all.size
  }

  /** @throws SluiceError `BAD_USER_INPUT` for a `where` with too many combinations. */
  add(where: Where<V>, interest: Interest<V>): () => void {
    const remove = this.#index.add(where, interest)
    const removeFromGaps = this.addToGaps(interest)
    return () => {
      remove()
      removeFromGaps()
    }
  }

  addToGaps(interest: Interest<V>): () => void {
    this.#all.add(interest)
    if (interest.onProgress) this.#ofProgress.add(interest)
    return () => {
      this.#all.delete(interest)
      this.#ofProgress.delete(interest)
    }
  }

  tellEvent(event: StreamEvent<V>, seq: number): void {
    if (this.#index.size === 0) return
    this.#index.match(event.value, (interest) => {
      try {
        interest.onEvent(event, seq)
      } catch (error) {
        this.#failed(interest, error)
      }
    })
  }

  tellGap(gap: Gap): void {
    this.#tell(this.#all, (interest) => interest.onGap(gap))
  }

  tellProgress(): void {
    if (this.#ofProgress.size > 0) this.#tell(this.#ofProgress, (interest) => interest.onProgress?.())
  }

  #tell(interests: Iterable<Interest<V>>, call: (interest: Interest<V>) => void): void {
    for (const interest of interests) {
      try {
        call(interest)
      } catch (error) {
        this.#failed(interest, error)
      }
    }
  }

  #failed(interest: Interest<V>, error: unknown): void {
    this.#faults.report(error, 'A subscriber failed to take an event')
    try {
      interest.onFailure?.(error)
    } catch (another) {
      this.#faults.report(another, 'A subscriber that failed could not be ended')
    }
  }
}
