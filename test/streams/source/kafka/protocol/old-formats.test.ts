import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readRecordSet } from '../../../../../src/streams/source/kafka/protocol/record-set.ts'

/*
 * Message sets of the formats 0 and 1, which no broker of today writes: made by Kafka's own library (`MemoryRecords` of
 * kafka-clients 4.3.1), with the records as the same library reads them. "With holes": compaction has removed the first
 * of them, and the third.
 */
interface Recorded {
  readonly name: string
  /** In base64. */
  readonly set: string
  readonly records: readonly { offset: number; timestamp: number; key: string | null; value: string | null }[]
}
const recorded: readonly Recorded[] = JSON.parse(readFileSync(join(import.meta.dirname, 'old-formats.json'), 'utf8'))

test.each(recorded.map((each) => [each.name, each] as const))('%s: read as by Kafka', async (_, { set, records }) => {
  const result = await readRecordSet(Buffer.from(set, 'base64'), 0, 0, [])
  const text = (bytes: Buffer | null) => bytes && String(bytes)
  const plain = result.records.map(({ offset, timestamp, key, value }) => ({
    offset,
    timestamp,
    key: text(key),
    value: text(value),
  }))
  expect(plain).toEqual(records)
  expect(result.nextOffset).toBe(5_000_000_004)
})
