/** Compaction threshold: fewer removed entries are not worth a copy. */
const MIN_CUT = 1024

/** Ascending sequence numbers of a partition's events: added at the end, removed at the start. */
export class SeqList {
  #seqs: number[] = []
  /** Number of removed entries at the start of the array. They are compacted in batches. */
  #start = 0

  get length(): number {
    return this.#seqs.length - this.#start
  }

  /** Undefined beyond both ends. */
  at(index: number): number | undefined {
    return index < 0 ? undefined : this.#seqs[this.#start + index]
  }

  push(seq: number): void {
    this.#seqs.push(seq)
  }

  shift(): void {
    this.#start++
    if (this.#start < MIN_CUT || this.#start < this.#seqs.length / 2) return
    this.#seqs = this.#seqs.slice(this.#start)
    this.#start = 0
  }

  /** Binary search: index of the first number that meets `wanted`, if all after it do too; `length` if none does. */
  find(isWanted: (seq: number) => boolean): number {
    let low = 0
    let high = this.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isWanted(this.at(middle) as number)) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Index of the first number that is `seq` or more. */
  indexOf(seq: number): number {
    return this.find((each) => each >= seq)
  }
}
