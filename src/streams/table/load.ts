import type { RawRecord } from '../event.ts'
import { valueLengthOf } from '../event.ts'
import type { PartitionRange, Source } from '../source/port.ts'
import { SCANS } from '../turn-budget.ts'

/** Size of a fetch, in bytes of records. */
const FETCH_BYTES = 1024 * 1024
/** A record of this many bytes is two units of work (see turn-budget.ts). */
const UNIT_BYTES = 512

export interface LoadOptions {
  readonly topic: string
  readonly source: Source
  readonly range: PartitionRange
  /** Offset before which records are to be loaded: what the feed reads from there on is not fetched, but comes by it. */
  readonly end: number
  readonly take: (record: RawRecord) => void
  /** Waits until records can be decoded; undefined: they can. */
  readonly prepare?: (records: readonly RawRecord[]) => Promise<void> | undefined
  /** False: the load is void. */
  readonly isWanted: () => boolean
  readonly signal: AbortSignal
}

/**
 * Reads a partition of a compacted topic from its oldest record on, in slices of turns of the event loop.
 * @returns the offset from which on nothing was compacted away: what was removed since then has a tombstone.
 * @throws SourceUnavailable as `Source.fetch` does.
 */
export async function loadPartition(options: LoadOptions): Promise<number> {
  const { topic, source, range, end, isWanted, signal } = options
  const { partition } = range
  let at = range.earliest
  let wholeFrom = at
  let expected = at
  while (at < end && isWanted()) {
    const fetched = await source.fetch(topic, partition, at, FETCH_BYTES, signal)
    if (fetched.kind === 'out_of_range') {
      // Retention has moved the start of the log; or the log was truncated, which its live reader notices.
      if (fetched.range.earliest <= at) break
      at = fetched.range.earliest
      wholeFrom = at
      expected = at
      continue
    }
    const preparing = options.prepare?.(fetched.records)
    if (preparing !== undefined) await preparing
    for (let index = 0; index < fetched.records.length && isWanted(); ) {
      if (index > 0) await SCANS.next()
      index = takeSome(options, fetched.records, index, (offset) => {
        if (offset !== expected) wholeFrom = offset
        expected = offset + 1
      })
    }
    if (fetched.nextOffset <= at) break
    at = fetched.nextOffset
    if (at !== expected) wholeFrom = at
    expected = at
  }
  return wholeFrom
}

/** Takes the records of one turn. Returns the index of the next. */
function takeSome(
  { end, take, isWanted }: LoadOptions,
  records: readonly RawRecord[],
  from: number,
  passed: (offset: number) => void,
): number {
  SCANS.begin()
  try {
    for (let index = from; index < records.length; index++) {
      const record = records[index] as RawRecord
      if (record.offset >= end || !isWanted()) return records.length
      passed(record.offset)
      take(record)
      if (SCANS.isUsedUp(1 + valueLengthOf(record) / UNIT_BYTES)) return index + 1
    }
    return records.length
  } finally {
    SCANS.end()
  }
}
