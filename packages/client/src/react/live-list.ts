import type { Result } from '../sluice-client.ts'
import { type FeedStatus, rootOf, type View } from './view.ts'

export interface LiveListSnapshot<Item> extends FeedStatus {
  /** The newest first; of each key the latest. */
  readonly items: readonly Item[]
}

/**
 * The latest item of each key, the newest first, at most `max` of them. So it depends on the newest events alone, however
 * long it has been shown: an item that comes again goes to the top.
 */
export class LiveList<Item> implements View<LiveListSnapshot<Item>> {
  readonly #by: string
  readonly #max: number
  /** Oldest first: what is taken out and put in again is last. */
  readonly #items = new Map<unknown, Item>()
  #shown: readonly Item[] | undefined = []
  #warned = false

  /** @throws RangeError for a `max` that is no number of items */
  constructor({ by, max }: { readonly by: string; readonly max: number }) {
    if (!(Number.isInteger(max) && max > 0)) throw new RangeError(`max must be a whole number from 1, and is ${max}`)
    this.#by = by
    this.#max = max
  }

  take(result: Result): void {
    const item = rootOf(result) as Item | null | undefined
    if (item === null || item === undefined) return
    const key = this.#keyOf(item)
    this.#items.delete(key)
    this.#items.set(key, item)
    if (this.#items.size > this.#max) this.#items.delete(this.#items.keys().next().value)
    this.#shown = undefined
  }

  snapshot(status: FeedStatus): LiveListSnapshot<Item> {
    this.#shown ??= [...this.#items.values()].reverse()
    return { items: this.#shown, ...status }
  }

  /** An item without a key is like no other. */
  #keyOf(item: Item): unknown {
    const key = (item as Record<string, unknown>)[this.#by]
    if (key !== null && key !== undefined) return key
    if (!this.#warned) console.warn(`useLiveList: an item has no "${this.#by}". Select it in the document`)
    this.#warned = true
    return {}
  }
}
