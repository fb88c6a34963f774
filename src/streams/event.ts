/** Items of a topic's stream: events, and between them gaps and progress. */

/** Header values as text; a header sent several times keeps its last value. */
export type EventHeaders = Readonly<Record<string, string>>

/** Shared by all events without headers. */
export const NO_HEADERS: EventHeaders = Object.freeze({})

/** One decoded, valid event of a topic. Offsets are numbers: exact up to 2^53, which no partition reaches. */
export interface StreamEvent<V = unknown> {
  readonly kind: 'event'
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch, as the log has it. */
  readonly timestamp: number
  readonly key: string | null
  readonly headers: EventHeaders
  readonly value: V
}

/**
 * Lost offsets of a partition: reading continues at `to` instead of `from`.
 * - `retention`: the records were deleted (`from` < `to`).
 * - `truncation`: the log ends before `from`: it was truncated, or recreated under the same name.
 */
export interface Gap {
  readonly kind: 'gap'
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly to: number
  readonly reason: 'retention' | 'truncation'
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
  readonly headers: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>> | undefined
}

/** What an event iterator yields. */
export type StreamItem<V> = StreamEvent<V> | Gap | Progress
