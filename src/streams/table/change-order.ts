/** Fewer replaced items are not worth compacting. */
const MIN_HOLES = 1024

/**
 * Items in the order of their sequence numbers, with holes where one was replaced. Replacing and appending are
 * amortized O(log n); a search is O(log n) and the holes that it meets. At most half of the places are holes.
 */
export class ChangeOrder<T extends { readonly seq: number }> {
  #items: (T | undefined)[] = []
  /** Ascending. */
  #seqs: number[] = []
  #holes = 0

  /** Number of items. */
  get size(): number {
    return this.#items.length - this.#holes
  }

  /** `seq` is larger than that of any item before. */
  push(item: T): void {
    this.#items.push(item)
    this.#seqs.push(item.seq)
  }

  remove(item: T): void {
    const index = this.#indexOf(item.seq)
    if (this.#items[index] !== item) return
    this.#items[index] = undefined
    this.#holes++
    if (this.#holes > this.size + MIN_HOLES) this.#compact()
  }

  /** Visits the items from a sequence number on, in order, until `visit` returns false. */
  visitFrom(seq: number, visit: (item: T) => boolean): void {
    for (let index = this.#indexOf(seq); index < this.#items.length; index++) {
      const item = this.#items[index]
      if (item !== undefined && !visit(item)) return
    }
  }

  /** All items, in order. */
  toArray(): T[] {
    return this.#items.filter((item) => item !== undefined)
  }

  #compact(): void {
    this.#items = this.toArray()
    this.#seqs = this.#items.map((item) => (item as T).seq)
    this.#holes = 0
  }

  /** Index of the first place at this sequence number or after it. */
  #indexOf(seq: number): number {
    let low = 0
    let high = this.#seqs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#seqs[middle] as number) < seq) low = middle + 1
      else high = middle
    }
    return low
  }
}
