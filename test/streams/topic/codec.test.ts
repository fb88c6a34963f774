import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { RawRecord } from '../../../src/streams/event.ts'
import { readRecordSet } from '../../../src/streams/source/kafka/protocol/record-set.ts'
import { decode } from '../../../src/streams/topic/decode.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'
import { recordBatch } from '../../kit/record-batches.ts'
import { Statistics } from '../../kit/statistics.ts'

const anything = defineTopic('anything', { schema: z.unknown() })

/** The same record as Kafka's source has it, a view with its value as text, and as the embedded log does. */
function bothKinds(key: Buffer | null, value: Buffer | null): RawRecord[] {
  const plain = { offset: 4, timestamp: 5, key, value }
  const { records } = readRecordSet(recordBatch([{ ...plain, headers: [] }]), 0, 0, []) as {
    records: readonly RawRecord[]
  }
  return [records[0] as RawRecord, { ...plain, partition: 0, headers: undefined }]
}

test('a record is the same event from text and from bytes, or fails for the same reason', () => {
  const cases = new Statistics('records from text and from bytes', ['event', 'skipped', 'codec', 'schema'])
  const value = fc.oneof(
    { weight: 4, arbitrary: fc.json().map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.json().map((text) => Buffer.from(`\ufeff${text}`)) },
    { weight: 1, arbitrary: fc.uint8Array().map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.constant(Buffer.from('['.repeat(200) + ']'.repeat(200))) },
    { weight: 1, arbitrary: fc.constant(null) },
  )
  const key = fc.option(fc.uint8Array().map((bytes) => Buffer.from(bytes)))
  fc.assert(
    fc.property(key, value, (keyBytes, valueBytes) => {
      const [fromText, fromBytes] = bothKinds(keyBytes, valueBytes).map((record) => decode(anything, record))
      expect(fromText).toEqual(fromBytes)
      if (fromText) cases.count('reason' in fromText ? fromText.reason : 'kind' in fromText ? 'event' : 'skipped')
    }),
    { numRuns: 500 },
  )
  cases.report()
})

test('a codec of bytes gets bytes from either', () => {
  const size = defineTopic('size', { schema: z.number(), codec: (bytes) => bytes.length })
  for (const record of bothKinds(null, Buffer.from('é'))) expect(decode(size, record)).toMatchObject({ value: 2 })
})
