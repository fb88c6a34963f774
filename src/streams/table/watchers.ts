import type { StreamEvent } from '../event.ts'
import { InterestIndex } from '../feed/interest-index.ts'
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
  readonly #all = new Map<Watcher<V>, () => void>()
  /** Those with `onProgress`: few. */
  readonly #ofProgress = new Set<Watcher<V>>()
  readonly #faults: TopicFaults

  constructor(faults: TopicFaults, lookups: Lookups) {
    this.#faults = faults
    this.#index = new InterestIndex(lookups)
  }

  get size(): number {
    return this.#all.size
  }

  /**
   * Returns how to remove it.
   * @throws SluiceError `BAD_USER_INPUT` for a selection with too many combinations.
   */
  add(selection: Selection<V>, watcher: Watcher<V>): () => void {
    const removeFromIndex = this.#index.add(selection, { watcher, told: -1 })
    const remove = (): void => {
      removeFromIndex()
      if (this.#all.get(watcher) !== remove) return
      this.#all.delete(watcher)
      this.#ofProgress.delete(watcher)
    }
    this.#all.set(watcher, remove)
    if (watcher.onProgress) this.#ofProgress.add(watcher)
    return remove
  }

  /** Tells a change to those whose selection the row meets now or met before, to each once. */
  tellChange(change: Change<V>): void {
    if (this.#index.size === 0) return
    const { row, before } = change
    const items = new ChangeItems(change)
    const tell = (entry: Entry<V>): void => {
      if (entry.told === row.seq) return
      entry.told = row.seq
      this.#contain(entry.watcher, row, () => entry.watcher.onChange(change, items))
    }
    this.#match(row.event, tell)
    this.#match(before, tell)
  }

  tellVoid(): void {
    for (const watcher of this.#all.keys()) this.#contain(watcher, undefined, () => watcher.onVoid())
  }

  tellLoaded(): void {
    for (const watcher of this.#all.keys()) this.#contain(watcher, undefined, () => watcher.onLoaded())
  }

  tellProgress(): void {
    for (const watcher of this.#ofProgress) this.#contain(watcher, undefined, () => watcher.onProgress?.())
  }

  /** Removes all. */
  end(error: unknown): void {
    for (const watcher of [...this.#all.keys()]) this.#failed(watcher, error)
  }

  #match(event: StreamEvent<V> | undefined, visit: (entry: Entry<V>) => void): void {
    if (event) this.#index.match(event, visit)
  }

  #contain(watcher: Watcher<V>, at: Change<V>['row'] | undefined, act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#failed(watcher, error, at && { partition: at.partition, offset: at.offset })
    }
  }

  #failed(watcher: Watcher<V>, error: unknown, at?: { readonly partition: number; readonly offset: number }): void {
    this.#all.get(watcher)?.()
    try {
      watcher.failed(error, at)
    } catch (another) {
      this.#faults.report(another, 'A subscriber of a table that failed could not be ended', at)
    }
  }
}
