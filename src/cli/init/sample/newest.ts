import { setTimeout as delay } from 'node:timers/promises'
import type { RawRecord } from '../../../streams/event.ts'
import { type PartitionRange, type Source, SourceUnavailable } from '../../../streams/source/port.ts'

/** Records that are looked at of a topic: what occurs in one of a hundred is seen, as a rule. */
const MAX_RECORDS = 400
/** Of a topic, keys and values: some thousand bytes each, and no more than a process has room for. */
const MAX_BYTES = 16 * 1024 * 1024
/** Of each partition, however many there are. */
const MIN_RECORDS = 5
const MIN_BYTES = 64 * 1024
/** Partitions that are read at once. */
const CONCURRENCY = 8
/** Compaction and transactions leave holes: so many times as far back is read, if there was too little, so often. */
const FURTHER = 10
const MAX_TRIES = 5
/** Until the cluster answers, and all of a topic is read: a person waits for it. */
const CONNECT_MS = 15_000
const READ_MS = 30_000
const RETRY_MS = 250

export interface Newest {
  /** By time, the newest last. */
  readonly records: readonly RawRecord[]
  readonly partitions: number
  /** The limits of time or bytes were met before all partitions had been read. */
  readonly isCut: boolean
}

/**
 * The newest records of all partitions of a topic.
 * @throws SourceUnavailable with the last reason why the topic cannot be read.
 */
export async function newestRecords(source: Source, topic: string, signal: AbortSignal): Promise<Newest> {
  const ranges = await rangesOf(source, topic, signal)
  const filled = ranges.filter(({ earliest, next }) => next > earliest)
  const share = (of: number, least: number) => Math.max(least, Math.ceil(of / Math.max(1, filled.length)))
  const limits = { records: share(MAX_RECORDS, MIN_RECORDS), bytes: share(MAX_BYTES, MIN_BYTES) }
  const end = performance.now() + READ_MS
  const found: RawRecord[] = []
  let bytes = 0
  let isCut = false
  const waiting = [...filled]
  const worker = async (): Promise<void> => {
    for (let range = waiting.shift(); range; range = waiting.shift()) {
      if (bytes > MAX_BYTES || performance.now() > end) {
        isCut = true
        return
      }
      const records = await tailOf(source, topic, range, limits, end, signal)
      for (const record of records) bytes += bytesOf(record)
      found.push(...records)
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
  found.sort((a, b) => a.timestamp - b.timestamp || a.partition - b.partition || a.offset - b.offset)
  return { records: found, partitions: ranges.length, isCut }
}

const bytesOf = ({ key, value }: RawRecord) => (key?.length ?? 0) + (value?.length ?? 0)

/** A cluster that is just starting, or a leader that moves, has a moment. */
async function rangesOf(source: Source, topic: string, signal: AbortSignal): Promise<readonly PartitionRange[]> {
  const end = performance.now() + CONNECT_MS
  for (;;) {
    try {
      return await source.ranges(topic)
    } catch (error) {
      if (!(error instanceof SourceUnavailable) || performance.now() > end) throw error
      await delay(RETRY_MS, undefined, { signal })
    }
  }
}

interface Limits {
  readonly records: number
  readonly bytes: number
}

/** The last records of a partition: further back, if there are too few. */
async function tailOf(
  source: Source,
  topic: string,
  { partition, earliest, next }: PartitionRange,
  limits: Limits,
  end: number,
  signal: AbortSignal,
): Promise<RawRecord[]> {
  let span = limits.records
  for (let tries = 1; ; tries += 1) {
    const from = Math.max(earliest, next - span)
    const records = await between(source, topic, partition, from, next, limits.bytes, end, signal)
    const isAll = from === earliest || tries === MAX_TRIES || performance.now() > end
    if (records.length >= limits.records || isAll) return records.slice(-limits.records)
    span *= FURTHER
  }
}

/** Records of a partition, the last of them if they are more than `maxBytes`. */
async function between(
  source: Source,
  topic: string,
  partition: number,
  from: number,
  to: number,
  maxBytes: number,
  end: number,
  signal: AbortSignal,
): Promise<RawRecord[]> {
  const records: RawRecord[] = []
  let bytes = 0
  let offset = from
  while (offset < to && performance.now() < end) {
    const fetched = await source.fetch(topic, partition, offset, maxBytes, signal)
    // Retention was faster.
    if (fetched.kind === 'out_of_range') {
      if (fetched.range.earliest <= offset) break
      offset = fetched.range.earliest
      continue
    }
    for (const record of fetched.records) {
      if (record.offset >= to) break
      records.push(record)
      bytes += bytesOf(record)
      while (bytes > maxBytes && records.length > 1) bytes -= bytesOf(records.shift() as RawRecord)
    }
    if (fetched.nextOffset <= offset) break
    offset = fetched.nextOffset
  }
  return records
}
