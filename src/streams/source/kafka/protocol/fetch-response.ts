/**
 * What a fetch response says of one partition, read as Kafka's own consumer reads it.
 *
 * kafkajs leaves two things out that the promise of this gateway needs. It forgets where a record batch ends: one that
 * compaction has emptied, or a transaction's marker, then holds a position up indefinitely. And it takes the list of
 * aborted transactions for sorted, one a record, with any record whose key is four zero bytes for an abort's marker:
 * records of interleaved aborted transactions would reach the clients.
 */

/** One record batch as it is in the log. Offsets and ids are decimal text, as kafkajs has them. */
export interface RecordBatch<R> {
  readonly firstOffset: string
  readonly lastOffsetDelta: number
  readonly producerId: string
  readonly inTransaction: boolean
  readonly isControlBatch: boolean
  readonly records: readonly R[]
}

/** A transaction that was aborted: from `firstOffset` on, up to the marker of its producer, its records do not count. */
export interface AbortedTransaction {
  readonly producerId: string
  readonly firstOffset: string
}

export interface Committed<R> {
  /** What a reader may see. */
  readonly records: R[]
  /** The offset after the last batch, whatever was in it; undefined if there was none. */
  readonly nextOffset: number | undefined
}

/** The type of a control record is the second number of its key: 0 aborts, 1 commits. */
const ABORT = 0

/**
 * The records of committed transactions and of none, by the rule of Java's consumer (CompletedFetch): a transaction
 * counts as aborted from its first offset until its producer's abort marker.
 */
export function committed<R extends { readonly key: Buffer | null }>(
  batches: readonly RecordBatch<R>[],
  aborted: readonly AbortedTransaction[],
): Committed<R> {
  const pending = aborted
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: Number(firstOffset) }))
    .sort((a, b) => a.firstOffset - b.firstOffset)
  const producers = new Set<string>()
  const records: R[] = []
  let nextOffset: number | undefined
  let begun = 0

  for (const batch of batches) {
    const lastOffset = Number(batch.firstOffset) + batch.lastOffsetDelta
    nextOffset = lastOffset + 1
    for (; begun < pending.length; begun++) {
      const transaction = pending[begun] as (typeof pending)[number]
      if (transaction.firstOffset > lastOffset) break
      producers.add(transaction.producerId)
    }
    if (batch.isControlBatch) {
      const marker = batch.records[0]?.key
      if (marker && marker.length >= 4 && marker.readInt16BE(2) === ABORT) producers.delete(batch.producerId)
    } else if (!(batch.inTransaction && producers.has(batch.producerId))) {
      // One by one: a batch of a million small records, spread into `push`, overflows the stack.
      for (const record of batch.records) records.push(record)
    }
  }
  return { records, nextOffset }
}
