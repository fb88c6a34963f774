import { type AbortedTransaction, committed, type RecordBatch } from './protocol/fetch-response.ts'

/**
 * Replacements inside kafkajs, and their reasons. kafkajs is unmaintained. They are valid for this version only; any
 * other is left unchanged.
 */
export const KAFKAJS_VERSION = '2.2.4'

/** Kafka's error code OFFSET_OUT_OF_RANGE. */
const OFFSET_OUT_OF_RANGE = 1
/** Bytes before the records of a batch, as kafkajs checks them for a whole batch. */
const RECORD_BATCH_OVERHEAD = 49
/** Position of the format version in a batch, the same in all versions. The current one is 2. */
const MAGIC_OFFSET = 16
const MAGIC = 2

/** Notes on the list of a partition's records, which kafkajs passes on unchanged. */
export interface FetchNotes {
  /** The offset after the last record batch of the response. */
  nextOffset?: number | undefined
  /** Compressed size of the record batches in the response. */
  bytes?: number
  /** The broker holds no record at the requested offset. */
  outOfRange?: boolean
}

/** Private interfaces of kafkajs, as far as they are used here. */
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

/** Installs all replacements. `fetchFailed` is called for every failed fetch, which kafkajs only logs. */
export function overrideKafkajs(internals: Internals, fetchFailed: FetchFailed): void {
  stopIdleTimer(internals)
  passOnEmptyBatches(internals)
  readFetchResponses(internals)
  tellOfFailedFetches(internals, fetchFailed)
}

/** kafkajs checks each connection's request queue every millisecond, 4 % of a core: check only while requests wait. */
function stopIdleTimer({ RequestQueue: { prototype } }: Internals): void {
  const schedule = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this)
  }
}

/**
 * Empty batches (a transaction marker, aborted or compacted records) are passed to `eachBatch` like any other, so that
 * the position moves past them. Partitions without any batch are already absent from the response.
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
 * Decoder of version 11 of the fetch response (Kafka 2.3 and newer). It differs from kafkajs's:
 * - the ends of record batches are noted, and aborted transactions are filtered by Kafka's rule (`fetch-response.ts`);
 * - an offset out of range affects its partition only. kafkajs discards the whole response and silently continues at
 *   the end of the log;
 * - partitions without records cost nothing, where kafkajs queues a batch for each of them at every fetch. They are in
 *   `answers`, which kafkajs returns to the caller with all the others.
 */
function readFetchResponses(internals: Internals): void {
  const readPartition = async (decoder: Decoder) => {
    const partition = decoder.readInt32()
    const error = decoder.readInt16()
    const highWatermark = decoder.readInt64().toString()
    const lastStableOffset = decoder.readInt64().toString()
    decoder.readInt64() // log start offset
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

/** The record set of a partition. An incomplete batch at its end is fetched again. */
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
    // Record formats before Kafka 0.11, which have no transactions.
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
