import type { Gap, Positions, RawRecord } from '../event.ts'

/**
 * The port between the streams and a log. It has two implementations, Kafka (`kafka.ts`) and an in-process log
 * (`embedded.ts`), which pass the same contract test (`test/streams/source/port-contract.ts`).
 */
export interface Source {
  /**
   * What each partition of the topic holds now, in the order of partition numbers.
   * @throws SourceUnavailable when the log cannot be reached, or does not know the topic. The caller tries again.
   */
  ranges(topic: string): Promise<readonly PartitionRange[]>

  /**
   * For every partition the offset of the first record whose timestamp is `timestamp` (ms) or later; the end of the
   * partition where there is none.
   * @throws SourceUnavailable as `ranges` does.
   */
  offsetsAt(topic: string, timestamp: number): Promise<Positions>

  /**
   * Reads every partition of every topic named in `from`, indefinitely: the one live reader of this process. Each
   * partition is delivered in order, without loss and without duplicates, from the offset given; a partition that
   * appears later is read from 0. Never fails: it keeps trying, says so by `onState`, and reports what cannot be had
   * any more as a gap. Resolves when the reader has stopped and calls nothing any more, and every batch has settled.
   */
  read(from: ReadonlyMap<string, Positions>, reader: Reader, signal: AbortSignal): Promise<void>

  /**
   * Fetches from one partition: records from `offset` on, at least one if there is any. Apart from every reader, and
   * without waiting for records to come. What is far behind is read by asking again from the fetch's `nextOffset`.
   *
   * A fetch has about `maxBytes` of keys and values, or one record batch if the first is larger. Where batches are
   * compressed, the first fetch of a topic may have many times that, since only then it is known how well. Any number
   * of fetches may be under way at once, which the caller bounds.
   * @throws SourceUnavailable as `ranges` does, also for a partition that is not there: after half a minute at most.
   * Rejects with the reason of `signal` as soon as it is aborted.
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

/** What there is of a partition from the offset that was asked for. */
export type FetchedRecords =
  | {
      readonly kind: 'records'
      /** In order. May be empty, and offsets may have holes. */
      readonly records: readonly RawRecord[]
      /** Where to read on: may be beyond the last record's offset + 1. What was asked for, at the end of the log only. */
      readonly nextOffset: number
      /** The end of the partition for a reader of committed records: where an open transaction begins, if any does. */
      readonly endOffset: number
    }
  /** The offset is below the oldest one retained, or beyond the end of the log. */
  | { readonly kind: 'out_of_range'; readonly range: PartitionRange }

export interface PartitionRange {
  readonly partition: number
  /** The first offset that is retained. */
  readonly earliest: number
  /** The offset that the next record will get: the end of the log. */
  readonly next: number
}

/** What a source tells its reader. Calls must not throw; a source that is thrown at goes on all the same. */
export interface Reader {
  /**
   * A promise, where the batch takes several turns of the event loop: until it settles, the batch is not delivered, and
   * the source hands over nothing more of its partition. It does not reject. After the signal of `read` it settles
   * soon, with the batch half taken.
   */
  onBatch(batch: Batch): Promise<void> | undefined
  onGap(gap: Gap): void
  onState(state: ReaderState): void
  /**
   * An exception that the source has caught, its own or the reader's: about a topic, or a partition of it, or, without
   * a place, about all that is read. It goes on.
   */
  onFault?(error: unknown, place?: FaultPlace): void
}

export interface FaultPlace {
  readonly topic: string
  readonly partition?: number
}

/**
 * Records of one partition, in order. Offsets may have holes (compaction, transaction markers); `nextOffset` is
 * where the source reads on, so it may be beyond the last record's offset + 1, and `records` may be empty.
 */
export interface Batch {
  readonly topic: string
  readonly partition: number
  readonly records: readonly RawRecord[]
  readonly nextOffset: number
  /** The end of the partition as the source last saw it (Kafka: the high watermark). */
  readonly endOffset: number
}

export type ReaderState =
  | { readonly kind: 'reading' }
  /** Not reading at the moment; the sentence says why, for `/readyz` and the log. The source keeps trying. */
  | { readonly kind: 'waiting'; readonly reason: string }

export interface Sink {
  /**
   * Appends records and resolves when the log has them. Without `partition`, records of one key go to one partition.
   * @throws SourceUnavailable when the log does not take them.
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

/** The log cannot be reached, or does not know the topic (yet). Always worth another try. */
export class SourceUnavailable extends Error {
  override readonly name = 'SourceUnavailable'
}
