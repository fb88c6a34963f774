import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import type { OutgoingRecord, Source } from '../../src/streams/source/port.ts'
import { paints } from '../kit/feeds.ts'

/** A log with the topic `paints`, and what happens to logs. */
export interface TestLog {
  readonly source: Source
  /** Of a log that has an identity of its own. */
  readonly epoch: number | undefined
  append(records: OutgoingRecord[]): Promise<void>
  retain(partition: number, earliest: number): Promise<void>
  grow(partitions: number): Promise<void>
  close(): Promise<void>
}

export async function openEmbedded(partitions: number): Promise<TestLog> {
  const { source, sink, epoch, createTopic, deleteRecords, addPartitions, close } = createEmbeddedLog()
  createTopic(paints.name, partitions)
  return {
    source,
    epoch,
    append: (records) => sink.send(paints.name, records),
    retain: async (partition, earliest) => deleteRecords(paints.name, partition, earliest),
    grow: async (total) => addPartitions(paints.name, total),
    close,
  }
}
