import type { Vector } from '../cursor/vector.ts'
import type { EventRecord, StreamEvent } from '../event.ts'
import type { RowPast } from './row-bounds.ts'

/** The latest record of a key. It is never modified: a change replaces it. */
export interface Row<V = unknown> extends RowPast {
  readonly key: string
  /** Number of the change: the order in which this instance read the changes. Private to it. */
  readonly seq: number
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch, as the log has it. */
  readonly timestamp: number
  /** Undefined: the row was removed. It is kept as a mark, for clients that still have it. */
  readonly event: StreamEvent<V> | undefined
  /** Offset of the first of its latest records that have the same indexed values; -1: no other record had others. */
  readonly steadyFrom: number
  /** Its memory. */
  readonly bytes: number
}

/** What a row is made of. */
export type RowRecord = Pick<EventRecord, 'partition' | 'offset' | 'timestamp'> & { readonly key: string }

/** A change of a table. */
export interface Change<V = unknown> {
  readonly row: Row<V>
  /** The event that the row had before; undefined: it had none. */
  readonly before: StreamEvent<V> | undefined
}

/**
 * Whether a record is later than a row of its key: by offset, in one partition. A key whose partition changed, since
 * partitions were added, has its latest record by timestamp, so that all instances agree.
 */
export function isLater(record: RowRecord, row: Row): boolean {
  if (record.partition === row.partition) return record.offset > row.offset
  const [time, known] = [record.timestamp || 0, row.timestamp || 0] // no timestamp is NaN, which compares with nothing
  return time === known ? record.partition > row.partition : time > known
}

/**
 * Whether a client at a position may have a row that its selection does not have now. It has not had one of which the
 * indexed values were the same then, if these alone exclude it. It may have one of a later record than its position
 * says, since positions are told at moments only.
 */
export function mayHaveHad({ partition, steadyFrom }: Row, vector: Vector, isExcludedByIndex: boolean): boolean {
  return !isExcludedByIndex || Math.max(0, vector[partition] ?? 0) <= steadyFrom
}
