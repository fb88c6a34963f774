/**
 * Partition data of a fetch response, interpreted as by Kafka's own consumer.
 * kafkajs omits two things that the delivery guarantee needs. It does not return the end of a record batch: an empty
 * batch (compacted, or a transaction marker) then blocks a position indefinitely. And it assumes that the list of
 * aborted transactions is sorted, with one record for each, and takes any record whose key is four zero bytes for an
 * abort marker: clients would receive records of interleaved aborted transactions.
 */

/** One record batch of the log. Offsets and ids are decimal text, as in kafkajs. */
export interface RecordBatch<R> {
  readonly firstOffset: string
  readonly lastOffsetDelta: number
  readonly producerId: string
  readonly inTransaction: boolean
  readonly isControlBatch: boolean
  readonly records: readonly R[]
}

/** An aborted transaction: its producer's records from `firstOffset` up to the abort marker are not delivered. */
export interface AbortedTransaction {
  readonly producerId: string
  readonly firstOffset: string
}

export interface Committed<R> {
  /** The visible records. */
  readonly records: R[]
  /** The offset after the last batch, empty or not; undefined if there was none. */
  readonly nextOffset: number | undefined
}

/** The second number of a control record's key is its type: 0 aborts, 1 commits. */
const ABORT = 0

/**
 * Filters by `read_committed`, as Java's consumer does (CompletedFetch): a transaction counts as aborted from its first
 * offset until its producer's abort marker.
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
