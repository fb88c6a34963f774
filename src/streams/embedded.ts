import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Positions, RawRecord } from './event.ts'
import type { OutgoingRecord, PartitionRange, Piece, Reader, Sink, Source } from './port.ts'
import { SourceUnavailable } from './port.ts'

/**
 * A partitioned log in this process, with Kafka's offsets and semantics: the default for a first run, and for tests
 * that need no broker. Retention is by bytes; nothing outlives the process, which its epoch tells.
 */
export interface EmbeddedLog {
  readonly source: Source
  readonly sink: Sink
  /** Tells this log from every other of the same name: milliseconds since the epoch, made unique in this process. */
  readonly epoch: number
  createTopic(topic: string, partitions: number): void
  addPartitions(topic: string, total: number): void
  /** Removes the records below `before`, as retention does. */
  deleteRecords(topic: string, partition: number, before: number): void
  close(): Promise<void>
}

export interface EmbeddedOptions {
  /** What each topic keeps, in bytes of keys and values. */
  readonly retentionBytes?: number
}

/** Some three hours of the demo feed at its default rate. */
const DEFAULT_RETENTION_BYTES = 64 * 1024 * 1024
/** Records handed over at once, so that a reader far behind does not hold up the event loop. */
const MAX_BATCH_RECORDS = 500
/** Of a record in a piece, beside key and value: about what it is in Kafka, so that no piece has records without end. */
const RECORD_OVERHEAD_BYTES = 10

let lastEpoch = 0

export function createEmbeddedLog(options: EmbeddedOptions = {}): EmbeddedLog {
  const topics = new Map<string, TopicLog>()
  const wakers = new Set<() => void>()
  const retentionBytes = options.retentionBytes ?? DEFAULT_RETENTION_BYTES
  const epoch = Math.max(Date.now(), lastEpoch + 1)
  lastEpoch = epoch
  const closing = new AbortController()

  const topicLog = (topic: string): TopicLog => {
    const log = topics.get(topic)
    if (!log) throw new SourceUnavailable(`The embedded log has no topic "${topic}"`)
    return log
  }
  const wakeReaders = (): void => {
    for (const wake of wakers) wake()
  }

  const source: Source = {
    async ranges(topic) {
      return topicLog(topic).partitions.map(
        (log): PartitionRange => ({ partition: log.partition, earliest: log.earliest, next: log.next }),
      )
    },

    async offsetsAt(topic, timestamp) {
      return new Map(topicLog(topic).partitions.map((log) => [log.partition, log.offsetAt(timestamp)]))
    },

    read: (from, reader, signal) => readAll(topics, from, reader, AbortSignal.any([signal, closing.signal]), wakers),

    async fetch(topic, partition, offset, maxBytes, signal): Promise<Piece> {
      signal.throwIfAborted()
      if (closing.signal.aborted) throw new SourceUnavailable('The embedded log is closed')
      // Who reads one piece after another lets others have their turn in between.
      await nextTurn()
      signal.throwIfAborted()
      const log = topicLog(topic).partitions[partition]
      if (!log) throw new SourceUnavailable(`Topic "${topic}" has no partition ${partition}`)
      const { earliest, next } = log
      if (offset < earliest || offset > next) return { kind: 'out_of_range', range: { partition, earliest, next } }
      const records = log.sliceOfBytes(offset, maxBytes)
      return { kind: 'records', records, nextOffset: offset + records.length, endOffset: next }
    },

    async close() {
      closing.abort()
    },
  }

  const sink: Sink = {
    async send(topic, records) {
      const log = topicLog(topic)
      for (const record of records) log.append(record)
      log.retain(retentionBytes)
      wakeReaders()
    },
    async close() {},
  }

  return {
    source,
    sink,
    epoch,
    createTopic(topic, partitions) {
      topics.set(topic, new TopicLog(partitions))
    },
    addPartitions(topic, total) {
      topicLog(topic).grow(total)
      wakeReaders()
    },
    deleteRecords(topic, partition, before) {
      topicLog(topic).partitions[partition]?.deleteBefore(before)
      wakeReaders()
    },
    close: () => source.close(),
  }
}

/** One reader: a position in each partition, moved on a turn after something was appended. */
function readAll(
  topics: ReadonlyMap<string, TopicLog>,
  from: ReadonlyMap<string, Positions>,
  reader: Reader,
  signal: AbortSignal,
  wakers: Set<() => void>,
): Promise<void> {
  const wanted = new Map([...from].map(([topic, positions]) => [topic, new Map(positions)]))
  const { promise, resolve } = Promise.withResolvers<void>()
  if (signal.aborted) {
    resolve()
    return promise
  }
  let scheduled: NodeJS.Immediate | undefined

  const schedule = (): void => {
    scheduled ??= setImmediate(() => {
      scheduled = undefined
      let more = false
      for (const [topic, positions] of wanted) {
        for (const log of topics.get(topic)?.partitions ?? []) {
          more = readPartition(topic, log, positions, reader) || more
        }
      }
      if (more && !signal.aborted) schedule()
    })
  }
  signal.addEventListener('abort', () => {
    clearImmediate(scheduled)
    wakers.delete(schedule)
    resolve()
  })

  reader.onState({ kind: 'reading' })
  wakers.add(schedule)
  schedule()
  return promise
}

/** Hands over what is next in one partition; true if there is more. */
function readPartition(topic: string, log: PartitionLog, wanted: Map<number, number>, reader: Reader): boolean {
  const { partition } = log
  let offset = wanted.get(partition) ?? 0
  if (offset < log.earliest || offset > log.next) {
    const reason = offset < log.earliest ? 'retention' : 'truncation'
    reader.onGap({ kind: 'gap', topic, partition, from: offset, to: log.earliest, reason })
    offset = log.earliest
  }
  const records = log.slice(offset, MAX_BATCH_RECORDS)
  const nextOffset = offset + records.length
  const isNew = !wanted.has(partition)
  wanted.set(partition, nextOffset)
  if (records.length > 0 || isNew) reader.onBatch({ topic, partition, records, nextOffset, endOffset: log.next })
  return nextOffset < log.next
}

class TopicLog {
  readonly partitions: PartitionLog[] = []
  #roundRobin = 0

  constructor(partitions: number) {
    this.grow(partitions)
  }

  grow(total: number): void {
    while (this.partitions.length < total) this.partitions.push(new PartitionLog(this.partitions.length))
  }

  append(record: OutgoingRecord): void {
    const log = this.partitions[record.partition ?? this.#partitionOf(record.key)]
    if (!log) throw new SourceUnavailable(`Partition ${record.partition} does not exist`)
    log.append(record)
  }

  /** Drops the oldest records of the fullest partition until the topic fits. */
  retain(maxBytes: number): void {
    let bytes = this.partitions.reduce((sum, log) => sum + log.bytes, 0)
    while (bytes > maxBytes) {
      const fullest = this.partitions.reduce((most, log) => (log.bytes > most.bytes ? log : most))
      bytes -= fullest.bytes
      fullest.deleteBefore(fullest.earliest + 1)
      bytes += fullest.bytes
    }
  }

  #partitionOf(key: string | null): number {
    if (key === null) return this.#roundRobin++ % this.partitions.length
    let hash = 0
    for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0
    return (hash >>> 0) % this.partitions.length
  }
}

class PartitionLog {
  readonly partition: number
  bytes = 0
  earliest = 0
  /** Records from `#base` on; those below `earliest` are only waiting to be cut off in one go. */
  #records: RawRecord[] = []
  #base = 0

  constructor(partition: number) {
    this.partition = partition
  }

  get next(): number {
    return this.#base + this.#records.length
  }

  append({ key, value, headers, timestamp }: OutgoingRecord): void {
    const record: RawRecord = {
      partition: this.partition,
      offset: this.next,
      timestamp: timestamp ?? Date.now(),
      key: key === null ? null : Buffer.from(key),
      value: typeof value === 'string' ? Buffer.from(value) : value,
      headers,
    }
    this.#records.push(record)
    this.bytes += sizeOf(record)
  }

  slice(offset: number, count: number): RawRecord[] {
    return this.#records.slice(offset - this.#base, offset - this.#base + count)
  }

  /** As many records as take this many bytes, and the first in any case. */
  sliceOfBytes(offset: number, maxBytes: number): RawRecord[] {
    let end = offset - this.#base
    for (let bytes = 0; end < this.#records.length; end++) {
      bytes += sizeOf(this.#records[end] as RawRecord) + RECORD_OVERHEAD_BYTES
      if (bytes > maxBytes && end > offset - this.#base) break
    }
    return this.#records.slice(offset - this.#base, end)
  }

  offsetAt(timestamp: number): number {
    const records = this.#records
    for (let i = this.earliest - this.#base; i < records.length; i++) {
      if ((records[i] as RawRecord).timestamp >= timestamp) return this.#base + i
    }
    return this.next
  }

  deleteBefore(before: number): void {
    const end = Math.min(before, this.next)
    for (; this.earliest < end; this.earliest++) {
      this.bytes -= sizeOf(this.#records[this.earliest - this.#base] as RawRecord)
    }
    if (this.earliest - this.#base > this.#records.length / 2) {
      this.#records = this.#records.slice(this.earliest - this.#base)
      this.#base = this.earliest
    }
  }
}

function sizeOf(record: RawRecord): number {
  return (record.key?.length ?? 0) + (record.value?.length ?? 0)
}
