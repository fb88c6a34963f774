/** An aborted transaction: its producer's records from `firstOffset` up to the abort marker are not delivered. */
export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
}

/** The second number of a control record's key is its type: 0 aborts, 1 commits. */
const ABORT = 0

/**
 * Filter of `read_committed`, as in Java's consumer (CompletedFetch): a transaction counts as aborted from its first
 * offset until its producer's abort marker. Batches are told to it in the order of the log.
 */
export class Transactions {
  /** By first offset. A broker lists them in the order of their ends. */
  readonly #aborted: readonly AbortedTransaction[]
  #begun = 0
  /** Those whose records are not delivered at present. */
  readonly #producers = new Set<bigint>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#aborted = aborted.length > 1 ? aborted.toSorted((a, b) => a.firstOffset - b.firstOffset) : aborted
  }

  /** Nothing is aborted: no batch needs to be told. */
  get areAllCommitted(): boolean {
    return this.#aborted.length === 0
  }

  /** A transactional batch of this producer that ends at `lastOffset`: whether its records are not delivered. */
  isAborted(producerId: bigint, lastOffset: number): boolean {
    this.#begin(lastOffset)
    return this.#producers.has(producerId)
  }

  /** A control batch of this producer. `key` is that of its first record; null: it has none. */
  sawMarker(producerId: bigint, lastOffset: number, key: Buffer | null): void {
    this.#begin(lastOffset)
    if (key && key.length >= 4 && key.readInt16BE(2) === ABORT) this.#producers.delete(producerId)
  }

  /** The aborted transactions that have begun by then. */
  #begin(lastOffset: number): void {
    for (; this.#begun < this.#aborted.length; this.#begun++) {
      const transaction = this.#aborted[this.#begun] as AbortedTransaction
      if (transaction.firstOffset > lastOffset) return
      this.#producers.add(transaction.producerId)
    }
  }
}
