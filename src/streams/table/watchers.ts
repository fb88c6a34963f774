import { InterestIndex } from '../feed/interest-index.ts'
import { Observers } from '../feed/observers.ts'
import type { TopicFaults } from '../topic/faults.ts'
import type { Lookups } from '../topic/topic.ts'
import type { Selection } from '../topic/where.ts'
import { ChangeItems } from './item.ts'
import type { Change } from './row.ts'

/** Observer of a table. Its methods are called synchronously, in the order of changes. */
export interface Watcher<V = unknown> {
  /** A row was changed that meets the selection, or did before. `items`: the same for all watchers. */
  onChange(change: Change<V>, items: ChangeItems<V>): void
  /** The log was truncated or recreated, and the table is being loaded again: what it had is void. */
  onVoid(): void
  /** It has been loaded again. */
  onLoaded(): void
  /** Something was read, a change or not: for those who wait for it. */
  onProgress?(): void
  /** A call threw, or the table ends: the watcher is removed, and has to tell its streams. Must not throw. */
  failed(error: unknown, at?: { readonly partition?: number; readonly offset?: number }): void
}

/** A watcher in the index, and the last change that it was told. */
interface Entry<V> {
  readonly watcher: Watcher<V>
  told: number
}

/** The watchers of a table. An exception of one removes that one, and affects no other. */
export class Watchers<V> {
  readonly #index: InterestIndex<V, Entry<V>>
  readonly #observers: Observers<Watcher<V>>

  constructor(faults: TopicFaults, lookups: Lookups) {
    this.#observers = new Observers(faults)
    this.#index = new InterestIndex(lookups)
  }

  get size(): number {
    return this.#observers.size
  }

  /**
   * Returns how to remove it.
   * @throws SluiceError `BAD_USER_INPUT` for a selection with too many combinations.
   */
  add(selection: Selection<V>, watcher: Watcher<V>): () => void {
    return this.#observers.add(watcher, this.#index.add(selection, { watcher, told: -1 }))
  }

  /** Tells a change to those whose selection the row meets now or met before, to each once. */
  tellChange(change: Change<V>): void {
    if (this.#index.size === 0) return
    const { row, before } = change
    const items = new ChangeItems(change)
    const tell = (entry: Entry<V>): void => {
      if (entry.told === row.seq) return
      entry.told = row.seq
      try {
        entry.watcher.onChange(change, items)
      } catch (error) {
        this.#observers.failed(entry.watcher, error, row)
      }
    }
    if (row.event) this.#index.match(row.event, tell)
    if (before) this.#index.match(before, tell)
  }

  tellVoid(): void {
    this.#observers.tell({}, (watcher) => watcher.onVoid())
  }

  tellLoaded(): void {
    this.#observers.tell({}, (watcher) => watcher.onLoaded())
  }

  tellProgress(): void {
    this.#observers.tellProgress({})
  }

  /** Removes all. */
  end(error: unknown): void {
    this.#observers.end(error)
  }
}
