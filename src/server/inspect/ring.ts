/** The last of what was added, the newest first. Bounded: beyond `max` the oldest is forgotten. */
export class Ring<T> {
  /** Number of all that were ever added. */
  count = 0
  readonly #max: number
  readonly #items: T[] = []

  constructor(max: number) {
    this.#max = max
  }

  add(item: T): void {
    this.#items[this.count++ % this.#max] = item
  }

  *[Symbol.iterator](): Iterator<T> {
    const size = this.#items.length
    for (let back = 1; back <= size; back++) yield this.#items[(this.count - back) % this.#max] as T
  }

  /** The newest, of at most so many, that meet the condition. */
  newest(count: number, meets: (item: T) => boolean = () => true): T[] {
    const found: T[] = []
    for (const item of this) {
      if (found.length >= count) break
      if (meets(item)) found.push(item)
    }
    return found
  }
}
