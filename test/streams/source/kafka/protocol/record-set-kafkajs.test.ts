import { createRequire } from 'node:module'
import fc from 'fast-check'
import kafkajs from 'kafkajs'
import { expect, test } from 'vitest'
import type { RawRecord } from '../../../../../src/streams/event.ts'
import { decompress, LZ4, SNAPPY, ZSTD } from '../../../../../src/streams/source/kafka/protocol/compression.ts'
import { readRecordSet } from '../../../../../src/streams/source/kafka/protocol/record-set.ts'
import { inTurns } from '../../../../../src/streams/source/kafka/protocol/steps.ts'
import { type LoggedBatch, plainRecord, testLogs } from '../../../../kit/partition-logs.ts'
import { CODECS } from '../../../../kit/record-batches.ts'
import { Statistics } from '../../../../kit/statistics.ts'

/*
 * The decoder of kafkajs on the same bytes, where it is right. It is not:
 * - it returns control batches as records;
 * - it ignores the broker's timestamp of a compressed message of format 1, and has no timestamp in format 0;
 * - headers named like a property of `Object.prototype` get that property as their first value;
 * - it stops at a change between the old formats and the present one.
 */
interface KafkajsRecord {
  readonly offset: string
  readonly timestamp?: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: RawRecord['headers']
}
type Decoder = object
const require = createRequire(import.meta.url)
const KafkajsDecoder: new (bytes: Buffer) => Decoder = require('kafkajs/src/protocol/decoder')
const decodeMessages: (
  decoder: Decoder,
) => Promise<KafkajsRecord[]> = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages')

const { CompressionCodecs, CompressionTypes } = kafkajs
const codec = (type: number) => () => ({
  compress: () => Promise.reject(new Error('Nothing is compressed here')),
  decompress: async (bytes: Buffer) => inTurns(decompress(type, bytes)),
})
CompressionCodecs[CompressionTypes.Snappy] = codec(SNAPPY)
CompressionCodecs[CompressionTypes.LZ4] = codec(LZ4)
CompressionCodecs[CompressionTypes.ZSTD] = codec(ZSTD)

async function byKafkajs({ bytes, magic, codec, isLogAppendTime, records }: LoggedBatch) {
  const size = Buffer.alloc(4)
  size.writeInt32BE(bytes.length)
  const decoded = await decodeMessages(new KafkajsDecoder(Buffer.concat([size, bytes])))
  return decoded.map(({ offset, timestamp, key, value, headers }, i) => {
    const isUnknown = magic === 0 || (magic === 1 && codec !== 'none' && isLogAppendTime)
    const own = isUnknown ? (records[i]?.timestamp ?? Number.NaN) : Number(timestamp)
    return plainRecord({ partition: 7, offset: Number(offset), timestamp: own, key, value, headers })
  })
}

const isOrdinary = ({ records }: LoggedBatch) =>
  !records.some(({ headers }) => headers.some(([name]) => name in Object.prototype))

test('kafkajs reads the same, batch by batch', async () => {
  const cases = new Statistics('compared with kafkajs', [
    ...['batches of format 0', 'batches of format 1', 'batches of format 2', 'records'],
    ...CODECS.map((codec) => `compressed with ${codec}`),
  ])
  await fc.assert(
    fc.asyncProperty(testLogs, async ({ batches }) => {
      for (const batch of batches) {
        if (batch.isControl || !isOrdinary(batch)) continue
        const { records } = await readRecordSet(batch.bytes, 7, 0, [])
        expect(records.map(plainRecord)).toEqual(await byKafkajs(batch))
        cases.count(`batches of format ${batch.magic}`)
        cases.count(`compressed with ${batch.codec}`)
        cases.count('records', records.length)
      }
    }),
    { numRuns: 500 },
  )
  cases.report()
})
