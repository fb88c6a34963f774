import type { TopicFaults } from '../topic/faults.ts'

/** A place of a topic, as far as it is known. */
export interface Place {
  readonly partition?: number
  readonly offset?: number
}

export interface Observer {
  onProgress?(): void
  /** A call threw: the observer is removed. Must not throw. */
  failed(error: unknown, at: Place): void
}

/** Observers with how each is removed. An exception of one removes that one, and affects no other. */
export class Observers<O extends Observer> {
  readonly #all = new Map<O, () => void>()
  /** Those with `onProgress`: few, so that a batch calls only these. */
  readonly #ofProgress = new Set<O>()
  readonly #faults: TopicFaults

  constructor(faults: TopicFaults) {
    this.#faults = faults
  }

  get size(): number {
    return this.#all.size
  }

  /** Returns how to remove it, from the index too. */
  add(observer: O, removeFromIndex: () => void): () => void {
    const remove = (): void => {
      removeFromIndex()
      if (this.#all.get(observer) !== remove) return
      this.#all.delete(observer)
      this.#ofProgress.delete(observer)
    }
    this.#all.set(observer, remove)
    if (observer.onProgress) this.#ofProgress.add(observer)
    return remove
  }

  tell(at: Place, call: (observer: O) => void): void {
    this.#tell(this.#all.keys(), at, call)
  }

  tellProgress(at: Place): void {
    if (this.#ofProgress.size > 0) this.#tell(this.#ofProgress, at, (observer) => observer.onProgress?.())
  }

  /** Removes all. */
  end(error: unknown): void {
    for (const observer of [...this.#all.keys()]) this.failed(observer, error, {})
  }

  /** A call of it threw: it is removed, and told. */
  failed(observer: O, error: unknown, { partition, offset }: Place): void {
    this.#all.get(observer)?.()
    const at = { ...(partition !== undefined && { partition }), ...(offset !== undefined && { offset }) }
    try {
      observer.failed(error, at)
    } catch (another) {
      this.#faults.report(another, 'A subscriber that failed could not be ended', at)
    }
  }

  #tell(observers: Iterable<O>, at: Place, call: (observer: O) => void): void {
    for (const observer of observers) {
      try {
        call(observer)
      } catch (error) {
        this.failed(observer, error, at)
      }
    }
  }
}
