import type { RawRecord } from '../../../event.ts'
import { int64At } from './integers.ts'
import { MAX_BATCH_BYTES, MAX_SET_BYTES } from './limits.ts'
import { Message } from './message.ts'
import { RecordBatch } from './record-batch.ts'
import { inTurns, type Steps } from './steps.ts'
import { type AbortedTransaction, Transactions } from './transactions.ts'
import { Corrupt, UndecodableRecords } from './undecodable.ts'
import { WantedRecords } from './wanted-records.ts'

export type { AbortedTransaction } from './transactions.ts'
export { UndecodableRecords } from './undecodable.ts'

/** Positions in a record batch, the same in all formats. */
const LENGTH = 8
const AFTER_LENGTH = 12
const MAGIC = 16
const HEADER = 17
/** Length of the smallest message of the oldest format. */
const MIN_LENGTH = 14

/** What the records of a partition in a fetch response come to. */
export interface RecordSet {
  /** The visible records at `from` or after it, in order. */
  readonly records: readonly RawRecord[]
  /**
   * The offset after the last batch that was read, also of one without visible records (aborted, control, compacted);
   * `limit`, where that is less. Undefined: there is no complete batch. A broker sends the first one whole (version 3 of
   * the request and newer), so that such a set is empty, or the length in it is damaged.
   */
  readonly nextOffset: number | undefined
  /** Epoch of the partition's leader when it wrote the last batch; -1 where there is none, or the format has none. */
  readonly leaderEpoch: number
  /** Of keys and values of `records`. */
  readonly bytes: number
  /** Of the batches that were read, as transferred. */
  readonly transferredBytes: number
}

/**
 * Reads the record set of a partition in a fetch response, as Kafka's own consumer does with `read_committed`: all
 * formats and compressions, without the records of the aborted transactions that the response lists. An incomplete
 * batch at the end is left out. A broker returns whole batches, so that records before `from` are dropped.
 *
 * The records are views of `set`, or of the decompressed batches, and retain these. Beyond `MAX_SET_BYTES` or
 * `MAX_SET_RECORDS` the rest is left for the next fetch, from `nextOffset`. Large compressed sets are decoded over
 * several turns of the event loop, and gzip and Zstandard on the thread pool; all others at once.
 * @param limit no record at this offset or beyond is decoded.
 * @throws UndecodableRecords if the first batch that reaches `from` cannot be decoded: at once, or by rejection. What
 * precedes an undecodable batch is returned without it.
 */
export function readRecordSet(
  set: Buffer,
  partition: number,
  from: number,
  aborted: readonly AbortedTransaction[],
  limit = Number.POSITIVE_INFINITY,
): RecordSet | Promise<RecordSet> {
  return inTurns(readBatches(set, new WantedRecords(partition, from, limit), new Transactions(aborted)))
}

function* readBatches(set: Buffer, wanted: WantedRecords, transactions: Transactions): Steps<RecordSet> {
  let leaderEpoch = -1
  let at = 0
  const upTo = (nextOffset: number | undefined): RecordSet => {
    const { records, bytes } = wanted
    return { records, nextOffset, leaderEpoch, bytes, transferredBytes: at }
  }

  while (at + HEADER <= set.length && wanted.nextOffset < wanted.limit && wanted.decompressedBytes < MAX_SET_BYTES) {
    const before = wanted.records.length
    try {
      const end = endOf(set, at)
      if (end > set.length) break
      const batch = set[at + MAGIC] === 2 ? new RecordBatch(set, at, end) : new Message(set, at, end)
      const { firstOffset, lastOffset } = batch
      if ((firstOffset ?? lastOffset) < wanted.nextOffset) throw new Corrupt('its offsets overlap those before it')
      if (firstOffset !== undefined && firstOffset >= wanted.limit) return upTo(wanted.limit)
      yield* decodeVisible(batch, wanted, transactions)
      wanted.nextOffset = lastOffset + 1
      leaderEpoch = batch.leaderEpoch
      at = end
    } catch (error) {
      if (wanted.nextOffset <= wanted.from) throw new UndecodableRecords(int64At(set, at), error)
      wanted.truncate(before)
      break
    }
  }
  return upTo(at === 0 ? undefined : Math.min(wanted.nextOffset, wanted.limit))
}

/** Position after a batch; it may be beyond the set. */
function endOf(set: Buffer, at: number): number {
  const length = set.readInt32BE(at + LENGTH)
  if (length < MIN_LENGTH || length > MAX_BATCH_BYTES) throw new Corrupt(`its length of ${length} bytes is impossible`)
  const magic = set[at + MAGIC] as number
  if (magic > 2) throw new Corrupt(`its format has the unknown number ${magic}`)
  return at + AFTER_LENGTH + length
}

/** Decodes a batch, unless none of its records can be wanted: it is then not decompressed. */
function* decodeVisible(batch: RecordBatch | Message, wanted: WantedRecords, transactions: Transactions): Steps<void> {
  if (batch instanceof RecordBatch) {
    const { areAllCommitted } = transactions
    if (batch.isControl) {
      if (areAllCommitted) return
      transactions.sawMarker(batch.producerId, batch.lastOffset, yield* batch.markerKey())
      return
    }
    const mayBeAborted = batch.isTransactional && !areAllCommitted
    if (mayBeAborted && transactions.isAborted(batch.producerId, batch.lastOffset)) return
  }
  if (batch.lastOffset >= wanted.from) yield* batch.decode(wanted)
}
