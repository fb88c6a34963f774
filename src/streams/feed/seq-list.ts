/** Fewer than this are not worth cutting off. */
const MIN_CUT = 1024

/** Sequence numbers of a partition's events, ascending: put on at the end, taken off at the start. */
export class SeqList {
  #seqs: number[] = []
  /** Numbers before this place have been taken off, and are cut off in one go now and then. */
  #start = 0

  get length(): number {
    return this.#seqs.length - this.#start
  }

  /** Undefined beyond both ends. */
  at(index: number): number | undefined {
    return index < 0 ? undefined : this.#seqs[this.#start + index]
  }

  all(): number[] {
    return this.#seqs.slice(this.#start)
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

  /** Place of the first number that is as wanted, where all after it are too; `length` if none is. */
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

  /** Place of the first number that is `seq` or more. */
  indexOf(seq: number): number {
    return this.find((each) => each >= seq)
  }
}
