/** The items with the highest ranks, of at most so many. Equal ones stay in the order in which they came. */
export class Top<T> {
  /** Number of all that were offered. */
  count = 0
  readonly #max: number
  readonly #ranked: { readonly item: T; readonly rank: number }[] = []

  constructor(max: number) {
    this.#max = max
  }

  offer(item: T, rank: number): void {
    this.count++
    const ranked = this.#ranked
    if (ranked.length === this.#max && rank <= (ranked.at(-1)?.rank ?? Number.POSITIVE_INFINITY)) return
    const place = ranked.findIndex((other) => other.rank < rank)
    ranked.splice(place < 0 ? ranked.length : place, 0, { item, rank })
    if (ranked.length > this.#max) ranked.pop()
  }

  get items(): T[] {
    return this.#ranked.map(({ item }) => item)
  }
}
