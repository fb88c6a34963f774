import { type AbortedTransaction, committed, type RecordBatch } from './protocol/fetch-response.ts'

/**
 * What is replaced inside kafkajs, and why. It is unmaintained, so this holds to the one version it was read in; any
 * other is to be left alone.
 */
export const KAFKAJS_VERSION = '2.2.4'

/** Code of the Kafka protocol for an offset outside of what a partition holds. */
const OFFSET_OUT_OF_RANGE = 1
/** Bytes before the records of a batch: kafkajs's own limit for what may be whole. */
const RECORD_BATCH_OVERHEAD = 49
/** Where a batch has its format version, which is the same place in all of them; the current one is 2. */
const MAGIC_OFFSET = 16
const MAGIC = 2

/** What is noted on the list of a partition's records, which kafkajs passes on as it is. */
export interface FetchNotes {
  /** The offset after the last record batch of the response. */
  nextOffset?: number | undefined
  /** What the record batches took in the response, compressed as they are. */
  bytes?: number
  /** The broker holds nothing at the offset that was asked for. */
  outOfRange?: boolean
}

/** Parts of kafkajs that are not its public interface, as far as they are used here. */
interface RequestQueue {
  pending: unknown[]
  throttledUntil: number
  scheduleCheckPendingRequests(): void
}
interface Decoder {
  offset: number
  buffer: Buffer
  readInt16(): number
  readInt32(): number
  readInt64(): bigint
  readString(): string
  readBytes(length: number): Buffer
  canReadBytes(length: number): boolean
  readArray<T>(read: (decoder: Decoder) => T): T[]
  readArrayAsync<T>(read: (decoder: Decoder) => Promise<T>): Promise<T[]>
}
interface KafkajsRecord {
  key: Buffer | null
}
export interface Internals {
  RequestQueue: { prototype: RequestQueue }
  ConsumerGroup: { prototype: { groupId: string; recoverFromFetch(error: Error): Promise<void> } }
  Batch: { prototype: { isEmpty(): boolean; isEmptyDueToFiltering(): boolean } }
  Decoder: new (buffer: Buffer) => Decoder
  decodeRecordBatch: (decoder: Decoder) => Promise<RecordBatch<KafkajsRecord>>
  decodeMessages: (decoder: Decoder) => Promise<KafkajsRecord[]>
  fetchResponse: { decode(raw: Buffer): Promise<unknown> }
}

type FetchFailed = (groupId: string, error: Error) => void

/** Replaces what has to be replaced. `fetchFailed` hears of every fetch that failed, which kafkajs only logs. */
export function overrideKafkajs(internals: Internals, fetchFailed: FetchFailed): void {
  stopIdleTimer(internals)
  passOnEmptyBatches(internals)
  readFetchResponses(internals)
  tellOfFailedFetches(internals, fetchFailed)
}

/** Every connection checks its queue once a millisecond indefinitely, 4 % of a core: check only while something waits. */
function stopIdleTimer({ RequestQueue: { prototype } }: Internals): void {
  const schedule = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this)
  }
}

/**
 * A batch in which a reader may see nothing (a transaction's marker, aborted records, what compaction left) moves the
 * position on: it goes to `eachBatch` like any other. Partitions with nothing at all are not in the response any more.
 */
function passOnEmptyBatches({ Batch: { prototype } }: Internals): void {
  prototype.isEmpty = () => false
  prototype.isEmptyDueToFiltering = () => false
}

function tellOfFailedFetches({ ConsumerGroup: { prototype } }: Internals, fetchFailed: FetchFailed): void {
  const recover = prototype.recoverFromFetch
  prototype.recoverFromFetch = function (error) {
    fetchFailed(this.groupId, error)
    return recover.call(this, error)
  }
}

/**
 * Reads version 11 of the fetch response (Kafka 2.3 and newer) so that
 * - it is known where its record batches end, and aborted transactions are left out by the rule (`fetch-response.ts`);
 * - an offset out of range is that partition's matter: kafkajs throws the whole response away, and goes on at the end
 *   of the log, telling nobody;
 * - partitions without news cost nothing: kafkajs queues a batch for each of them, every time. They are in `answers`,
 *   which kafkajs passes on to who asked, with all the others.
 */
function readFetchResponses(internals: Internals): void {
  const readPartition = async (decoder: Decoder) => {
    const partition = decoder.readInt32()
    const error = decoder.readInt16()
    const highWatermark = decoder.readInt64().toString()
    const lastStableOffset = decoder.readInt64().toString()
    decoder.readInt64() // where the log starts
    const aborted = decoder.readArray(
      (list): AbortedTransaction => ({
        producerId: list.readInt64().toString(),
        firstOffset: list.readInt64().toString(),
      }),
    )
    const preferredReadReplica = decoder.readInt32()
    const messages = await readRecords(internals, decoder, aborted)
    if (error === OFFSET_OUT_OF_RANGE) messages.outOfRange = true
    const errorCode = messages.outOfRange ? 0 : error
    return { partition, errorCode, highWatermark, lastStableOffset, preferredReadReplica, messages }
  }

  internals.fetchResponse.decode = async (raw) => {
    const decoder = new internals.Decoder(raw)
    const clientSideThrottleTime = decoder.readInt32()
    const errorCode = decoder.readInt16()
    const sessionId = decoder.readInt32()
    const answers = await decoder.readArrayAsync(async (list) => ({
      topicName: list.readString(),
      partitions: await list.readArrayAsync(readPartition),
    }))
    const responses = answers.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.filter(
        ({ errorCode, messages, preferredReadReplica }) =>
          errorCode !== 0 || messages.outOfRange || messages.nextOffset !== undefined || preferredReadReplica !== -1,
      ),
    }))
    return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses, answers }
  }
}

/** The record set of a partition; a batch at its end that did not fit into the response is fetched again. */
async function readRecords(
  { Decoder, decodeRecordBatch, decodeMessages }: Internals,
  decoder: Decoder,
  aborted: readonly AbortedTransaction[],
): Promise<KafkajsRecord[] & FetchNotes> {
  const start = decoder.offset
  const size = decoder.readInt32()
  if (size <= 0 || !decoder.canReadBytes(size)) return []
  const bytes = decoder.readBytes(size)
  if (bytes.readInt8(MAGIC_OFFSET) !== MAGIC) {
    // The formats before Kafka 0.11, which know no transactions.
    decoder.offset = start
    const messages: (KafkajsRecord & { offset?: string })[] & FetchNotes = await decodeMessages(decoder)
    const last = messages.at(-1)?.offset
    if (last !== undefined) messages.nextOffset = Number(last) + 1
    return messages
  }

  const batches: RecordBatch<KafkajsRecord>[] = []
  const set = new Decoder(bytes)
  while (set.canReadBytes(RECORD_BATCH_OVERHEAD)) {
    try {
      batches.push(await decodeRecordBatch(set))
    } catch (error) {
      if ((error as Error).name === 'KafkaJSPartialMessageError') break
      throw error
    }
  }
  const { records, nextOffset } = committed(batches, aborted)
  return Object.assign(records, { nextOffset, bytes: size })
}
