/** Items of a topic's stream: events, and between them gaps and progress. */

/** Header values as text; a header sent several times keeps its last value. */
export type EventHeaders = Readonly<Record<string, string>>

/** Shared by all events without headers. */
export const NO_HEADERS: EventHeaders = Object.freeze({})

/**
 * The record of an event, apart from its value: what codecs, index functions, filters and resolvers get beside the
 * value. Offsets are numbers: exact up to 2^53, which no partition reaches.
 */
export interface EventRecord {
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch, as the log has it. */
  readonly timestamp: number
  /** UTF-8 as text: invalid bytes are replaced. */
  readonly key: string | null
  readonly headers: EventHeaders
}

/** One decoded, valid event of a topic. */
export interface StreamEvent<V = unknown> extends EventRecord {
  readonly kind: 'event'
  readonly topic: string
  readonly value: V
  /** The results of the topic's index functions, called once for each event; absent where it has none. */
  readonly indexed?: readonly unknown[]
}

/**
 * Lost offsets of a partition: reading continues at `to` instead of `from`.
 * - `retention`: the records were deleted (`from` < `to`).
 * - `truncation`: the log was truncated at `to`, or recreated under the same name: what it had from `from` on is gone, and
 *   what it has from `to` on is delivered.
 * - `history`: the credentials of the reader do not allow it to read further back (`from` < `to`).
 */
export interface Gap {
  readonly kind: 'gap'
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly to: number
  readonly reason: 'retention' | 'truncation' | 'history'
}

/** The position advanced without an item: the next wanted offset of each partition. */
export interface Progress {
  readonly kind: 'progress'
  readonly topic: string
  readonly positions: Positions
}

/** Next wanted offset by partition number. A partition that is not known yet is absent. */
export type Positions = ReadonlyMap<number, number>

/** One record as the log holds it, before decoding. */
export interface RawRecord {
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: RawHeaders | undefined

  /*
   * What is faster than `key` and `value` where these are views of other bytes, made each time. Absent in records that
   * hold them.
   */
  /** Bytes of `value`; -1 if it is null. */
  readonly valueLength?: number
  /**
   * `value` as text, without a byte order mark.
   * @throws TypeError if it is null, or not UTF-8.
   */
  valueText?(): string
  /** `key` as text, in which the replacement character takes the place of what is not UTF-8. */
  keyText?(): string | null
}

/** Bytes of a record's value; 0 for one that has none. */
export function valueLengthOf({ valueLength, value }: RawRecord): number {
  return valueLength === undefined ? (value?.length ?? 0) : Math.max(0, valueLength)
}

/** By name. A header without a value is undefined. One that was sent several times is an array. */
export type RawHeaders = Readonly<Record<string, RawHeader | RawHeader[]>>
type RawHeader = Buffer | string | undefined

/** What an event iterator yields. */
export type StreamItem<V> = StreamEvent<V> | Gap | Progress
