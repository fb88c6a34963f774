import { setImmediate as nextTurn } from 'node:timers/promises'
import { type FetchedRecords, type PartitionRange, type Sink, type Source, SourceUnavailable } from '../port.ts'
import { readLog } from './reader.ts'
import { TopicLog } from './topic-log.ts'

/**
 * Embedded log: partitioned, in memory, with Kafka's offsets and semantics. It is the default for a first run, and for
 * tests without a broker. Retention is by bytes. The log ends with the process: its epoch identifies it.
 */
export interface EmbeddedLog {
  readonly source: Source
  readonly sink: Sink
  /** Identity of this log among those of the same name: milliseconds since the epoch, made unique in this process. */
  readonly epoch: number
  createTopic(topic: string, partitions: number): void
  addPartitions(topic: string, total: number): void
  /** Deletes the records below `before`, as retention does. */
  deleteRecords(topic: string, partition: number, before: number): void
  close(): Promise<void>
}

export interface EmbeddedOptions {
  /** Retention of each topic, in bytes of keys and values. */
  readonly retentionBytes?: number
}

/** Some three hours of the demo feed at its default rate. */
const DEFAULT_RETENTION_BYTES = 64 * 1024 * 1024

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
    if (!log) throw new SourceUnavailable(`The embedded log has no topic "${topic}"`, { notAppended: 'unknown_topic' })
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
      const offsets = new Map<number, number>()
      for (const log of topicLog(topic).partitions) offsets.set(log.partition, await log.offsetAt(timestamp))
      return offsets
    },

    async ends(topic) {
      return new Map(topicLog(topic).partitions.map((log) => [log.partition, log.next]))
    },

    read: (topic, from, reader, signal) =>
      readLog({ topics, topic, from, reader, signal: AbortSignal.any([signal, closing.signal]), wakers }),

    async fetch(topic, partition, offset, maxBytes, signal): Promise<FetchedRecords> {
      signal.throwIfAborted()
      if (closing.signal.aborted) throw new SourceUnavailable('The embedded log is closed')
      // Yields to the event loop between consecutive fetches.
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
