import type { Gap, Positions, RawRecord } from '../event.ts'

/**
 * The port between the streams and a log. It has two implementations, Kafka (`kafka.ts`) and an in-process log
 * (`embedded.ts`), which pass the same contract test (`test/streams/source/port-contract.ts`).
 */
export interface Source {
  /**
   * Offset ranges of all partitions of the topic, in the order of partition numbers.
   * @throws SourceUnavailable when the log cannot be reached, or does not know the topic. The caller retries.
   */
  ranges(topic: string): Promise<readonly PartitionRange[]>

  /**
   * By partition the offset of the first record whose timestamp is `timestamp` (ms) or later; the end of the partition
   * where there is none.
   * @throws SourceUnavailable as `ranges` does.
   */
  offsetsAt(topic: string, timestamp: number): Promise<Positions>

  /**
   * By partition the end of the topic's log, asked of the log itself and apart from every reader.
   * @throws SourceUnavailable as `ranges` does.
   */
  ends(topic: string): Promise<Positions>

  /**
   * The live reader of a topic: reads every partition in `from`, indefinitely. Each partition is delivered in order,
   * without loss and without duplicates, from the given offset. A partition that is added later is read from 0. Topics
   * are independent: whatever happens to one, others are read on. Never rejects: it retries, reports its state by
   * `onState`, and reports lost offsets as gaps. Resolves when the reader has stopped: nothing is called after that, and
   * every batch has settled.
   */
  read(topic: string, from: Positions, reader: Reader, signal: AbortSignal): Promise<void>

  /**
   * Fetches from one partition: records from `offset` on, at least one if there is any. It is independent of every
   * reader, and does not wait for new records. Continue from the fetch's `nextOffset` to read more.
   * A fetch returns about `maxBytes` of keys and values, or one record batch if the first is larger. The first fetch of
   * a topic with compressed batches may return many times that, since the compression ratio is only known after it. The
   * number of concurrent fetches is bounded by the caller.
   * @throws SourceUnavailable as `ranges` does, also for an unknown partition: after half a minute at most. Rejects
   * with the reason of `signal` as soon as it is aborted.
   */
  fetch(
    topic: string,
    partition: number,
    offset: number,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<FetchedRecords>

  close(): Promise<void>
}

/** Result of a fetch from a partition. */
export type FetchedRecords =
  | {
      readonly kind: 'records'
      /** In order. May be empty, and offsets may have holes. */
      readonly records: readonly RawRecord[]
      /**
       * Offset at which to continue. It may be beyond the last record's offset + 1. Equal to the requested offset only
       * at the end of the log.
       */
      readonly nextOffset: number
      /**
       * End of the partition under `read_committed`: the last stable offset, where the first open transaction begins.
       */
      readonly endOffset: number
    }
  /** The offset is below the oldest one retained, or beyond the end of the log. */
  | { readonly kind: 'out_of_range'; readonly range: PartitionRange }

export interface PartitionRange {
  readonly partition: number
  /** The first retained offset. */
  readonly earliest: number
  /** The log end offset: that of the next record. */
  readonly next: number
}

/** Callbacks of a source, about one topic. They must not throw; a source contains exceptions all the same, and continues. */
export interface Reader {
  /**
   * Takes a batch. A promise, if it takes several turns of the event loop: until it settles, the batch is not
   * delivered, and the source hands over no other of that partition (backpressure). It does not reject. After the
   * signal of `read` is aborted it settles soon, with the batch half taken.
   */
  onBatch(batch: Batch): Promise<void> | undefined
  onGap(gap: Gap): void
  onState(state: ReaderState): void
  /** Reports a contained exception of the source or of the reader. Reading continues. */
  onFault?(error: unknown, place: FaultPlace): void
}

export interface FaultPlace {
  readonly topic: string
  readonly partition?: number
}

/**
 * Records of one partition, in order. Offsets may have holes (compaction, transaction markers). The source continues at
 * `nextOffset`, which may be beyond the last record's offset + 1, and `records` may be empty.
 */
export interface Batch {
  readonly topic: string
  readonly partition: number
  readonly records: readonly RawRecord[]
  readonly nextOffset: number
  /** End of the partition as last seen by the source (Kafka: the high watermark). */
  readonly endOffset: number
}

export type ReaderState =
  /** `note`: what an operator should know all the same, as a sentence for `/readyz`. */
  | { readonly kind: 'reading'; readonly note?: string }
  /** Not reading at the moment; `reason` is a sentence for `/readyz` and the log. The source retries. */
  | { readonly kind: 'waiting'; readonly reason: string }

export interface Sink {
  /**
   * Appends records, and resolves when the log has acknowledged them. Without `partition`, records of one key go to one
   * partition.
   * @throws SourceUnavailable when the log does not accept them.
   */
  send(topic: string, records: readonly OutgoingRecord[]): Promise<void>
  close(): Promise<void>
}

export interface OutgoingRecord {
  readonly key: string | null
  readonly value: Buffer | string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly partition?: number
  /** Milliseconds since the epoch; now, if absent. */
  readonly timestamp?: number
}

/**
 * Why records are certainly not in the log: they were not sent, or the log refused all of them. A failure without such a
 * reason leaves open whether they are, or some of them.
 */
export type NotAppended = 'unsent' | 'denied' | 'unknown_topic' | 'too_large'

/** The log cannot be reached, or does not know the topic (yet). Retriable. */
export class SourceUnavailable extends Error {
  override readonly name = 'SourceUnavailable'
  /** Of a send: why nothing was appended. Undefined: something may have been. */
  readonly notAppended: NotAppended | undefined

  constructor(message: string, options: ErrorOptions & { readonly notAppended?: NotAppended | undefined } = {}) {
    super(message, options)
    this.notAppended = options.notAppended
  }
}
