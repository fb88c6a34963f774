import { type Positions, type RawRecord, type StreamEvent, valueLengthOf } from '../event.ts'
import type { PartitionRange, Source } from '../source/port.ts'
import { type DecodeFailure, type DecodeOptions, decode, type Skipped } from '../topic/decode.ts'
import type { Preparation } from '../topic/preparation.ts'
import type { Topic } from '../topic/topic.ts'
import { SCANS } from '../turn-budget.ts'
import { eventBytes } from './size.ts'

/** First step of each partition, in events: what they weigh is not known yet. */
const FIRST_EVENTS = 32
/** Later steps, in bytes of memory: smaller ones cost more requests than they save. */
const MIN_STEP_BYTES = 64 * 1024
const MAX_STEP_BYTES = 4 * 1024 * 1024
/** Steps at a time, each of another partition: with many partitions most of a fill is waiting for responses. */
const MAX_AT_ONCE = 16
/** Together they are a small part of what is left of the window, so that the last of them do not exceed it by much. */
const PARTS_LEFT = 16
/** A partition whose offsets are mostly holes (a compacted topic) is read in longer steps. */
const MAX_STEP_OFFSETS = 1024 * 1024
/** In bytes of records. */
const MAX_FETCH_BYTES = 1024 * 1024
/** A record of this many bytes is two units of work (see turn-budget.ts). */
const UNIT_BYTES = 512

export interface FillOptions<V> {
  readonly topic: Topic<V>
  readonly source: Source
  readonly ranges: readonly PartitionRange[]
  /** By partition, the offset before which every record is too old. */
  readonly young: Positions
  readonly maxBytes: number
  readonly signal: AbortSignal
  readonly decoding: DecodeOptions
  readonly preparation?: Preparation | undefined
  /** A record that is no event. */
  readonly onOther: (record: RawRecord, why: DecodeFailure | Skipped) => void
}

/** The newest events of a partition, in order: all from this offset up to the end that the range named. */
export interface FilledPartition<V> {
  readonly partition: number
  readonly from: number
  readonly events: readonly StreamEvent<V>[]
}

interface Part<V> {
  readonly partition: number
  readonly to: number
  floor: number
  /** Everything from here to `to` has been read. */
  from: number
  /** Chunks of events, the newest first. */
  chunks: StreamEvent<V>[][]
  /** Timestamp of the oldest event that was read; infinite, where none was. */
  oldest: number
  /** Events read, and the offsets that they took. */
  events: number
  offsets: number
}

/**
 * Reads the newest events of a topic, up to about `maxBytes` of memory: backwards in steps, those of the partitions whose
 * oldest events are the youngest, so that all partitions reach about as far back in time. Little more is decoded than is
 * kept.
 * @throws SourceUnavailable as `Source.fetch` does.
 */
export async function newestEvents<V>(options: FillOptions<V>): Promise<FilledPartition<V>[]> {
  const parts = options.ranges.map(({ partition, earliest, next }): Part<V> => {
    const floor = Math.min(next, Math.max(earliest, options.young.get(partition) ?? earliest))
    const oldest = Number.POSITIVE_INFINITY
    return { partition, to: next, floor, from: next, chunks: [], oldest, events: 0, offsets: 0 }
  })
  let bytes = 0
  let events = 0
  for (;;) {
    const open = parts.filter(({ from, floor }) => from > floor)
    if (open.length === 0 || bytes >= options.maxBytes || options.signal.aborted) break
    const average = events === 0 ? UNIT_BYTES : bytes / events
    // Half of what is left of the window for each: the steps become smaller towards the end.
    const left = options.maxBytes - bytes
    const stepBytes = Math.min(MAX_STEP_BYTES, Math.max(MIN_STEP_BYTES, left / (2 * open.length)))
    const atOnce = Math.max(1, Math.min(MAX_AT_ONCE, Math.floor(left / (PARTS_LEFT * stepBytes))))
    const youngest = open.toSorted((a, b) => b.oldest - a.oldest).slice(0, atOnce)
    const steps = youngest.map((part) => stepBack(options, part, stepOf(part, stepBytes / average), average))
    for (const read of await Promise.all(steps)) {
      bytes += read.bytes
      events += read.events
    }
  }
  return parts.map(({ partition, from, chunks }) => ({ partition, from, events: chunks.reverse().flat() }))
}

/** Offsets of the next step. */
function stepOf({ events, offsets }: Part<unknown>, wanted: number): number {
  if (offsets === 0) return FIRST_EVENTS
  return Math.min(MAX_STEP_OFFSETS, Math.ceil((wanted * offsets) / Math.max(events, 1)))
}

async function stepBack<V>(options: FillOptions<V>, part: Part<V>, step: number, average: number) {
  const { source, topic, signal } = options
  const start = Math.max(part.floor, part.from - step)
  const chunk: StreamEvent<V>[] = []
  let bytes = 0
  for (let at = start; at < part.from; ) {
    const maxBytes = Math.min(MAX_FETCH_BYTES, Math.ceil((part.from - at) * average))
    const fetched = await source.fetch(topic.name, part.partition, at, maxBytes, signal)
    if (fetched.kind === 'out_of_range') {
      // Retention has moved the start of the log meanwhile: what was read before it is not contiguous with the rest.
      if (fetched.range.earliest <= at) break
      part.floor = Math.min(part.from, fetched.range.earliest)
      at = part.floor
      chunk.length = 0
      bytes = 0
      continue
    }
    const records = await prepared(options, part, fetched.records)
    if (records.length < fetched.records.length && part.floor > at) {
      // What is before the records that cannot be decoded is not contiguous with the rest.
      chunk.length = 0
      bytes = 0
    }
    bytes += await decodeBefore(options, records, part.from, chunk)
    if (fetched.nextOffset <= at) break
    at = fetched.nextOffset
  }
  part.offsets += part.from - start
  part.events += chunk.length
  part.from = Math.max(start, part.floor)
  if (chunk[0]) part.oldest = chunk[0].timestamp || 0 // no timestamp is NaN, which compares with nothing
  if (chunk.length > 0) part.chunks.push(chunk)
  return { bytes, events: chunk.length }
}

/**
 * The records that can be decoded, when they can. Where some never may be, the window begins behind them: a replay waits
 * for them, and nothing else of the topic does.
 */
async function prepared<V>(
  { preparation, signal }: FillOptions<V>,
  part: Part<V>,
  fetched: readonly RawRecord[],
): Promise<readonly RawRecord[]> {
  let records = fetched.filter(({ offset }) => offset < part.from && offset >= part.floor)
  const first = preparation?.attempt(records, signal)
  if (!first) return fetched
  await preparation?.hold(first, {
    place: `Partition ${part.partition}`,
    records: () => records,
    signal,
    onFailed: ({ isDefinite }) => {
      const missing = isDefinite ? preparation.lastMissing(records, signal) : undefined
      if (!missing) return
      part.floor = missing.offset + 1
      records = records.filter(({ offset }) => offset >= part.floor)
    },
  })
  return records
}

/** Decodes the records below `end`, in several turns if there are many. Returns the bytes of the events. */
async function decodeBefore<V>(
  { topic, decoding, onOther }: FillOptions<V>,
  records: readonly RawRecord[],
  end: number,
  events: StreamEvent<V>[],
): Promise<number> {
  let bytes = 0
  for (let index = 0; index < records.length; ) {
    if (index > 0) await SCANS.next()
    SCANS.begin()
    while (index < records.length) {
      const record = records[index++] as RawRecord
      if (record.offset >= end) return finish()
      const event = decode(topic, record, decoding)
      if ('kind' in event) {
        events.push(event)
        bytes += eventBytes(event, topic.validator)
      } else onOther(record, event)
      if (SCANS.isUsedUp(1 + valueLengthOf(record) / UNIT_BYTES)) break
    }
    SCANS.end()
  }
  return bytes

  function finish(): number {
    SCANS.end()
    return bytes
  }
}

/** The events of all partitions by time, each partition in its order. */
export function* byTime<V>(filled: readonly FilledPartition<V>[]): Generator<StreamEvent<V>, void> {
  const places = filled.map(() => 0)
  for (;;) {
    let oldest: number | undefined
    let oldestTime = 0
    for (let at = 0; at < filled.length; at++) {
      const event = filled[at]?.events[places[at] as number]
      if (!event) continue
      const time = event.timestamp || 0
      if (oldest !== undefined && time >= oldestTime) continue
      oldest = at
      oldestTime = time
    }
    if (oldest === undefined) return
    const place = places[oldest] as number
    places[oldest] = place + 1
    yield filled[oldest]?.events[place] as StreamEvent<V>
  }
}
