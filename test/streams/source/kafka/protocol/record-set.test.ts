import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readRecordSet, UndecodableRecords } from '../../../../../src/streams/source/kafka/protocol/record-set.ts'
import {
  expectedRecord,
  type LoggedBatch,
  plainRecord,
  type TestLog,
  testLogs,
} from '../../../../kit/partition-logs.ts'
import {
  CODECS,
  compressedMessage,
  marker,
  messageSet,
  recordBatch,
  repairChecksum,
  type TestRecord,
} from '../../../../kit/record-batches.ts'
import { Statistics } from '../../../../kit/statistics.ts'

const PARTITION = 7

/** A part of a log as a broker returns it, and what is to be read of it. */
interface Fetch {
  readonly log: TestLog
  /** Its whole batches. */
  readonly batches: readonly LoggedBatch[]
  readonly set: Buffer
  readonly from: number
  readonly limit: number
}

const fetches: fc.Arbitrary<Fetch> = fc
  .record({
    log: testLogs.filter(({ batches }) => batches.length > 0),
    start: fc.nat(),
    count: fc.nat(12),
    within: fc.nat(3),
    cut: fc.nat(),
    limit: fc.option(fc.integer({ min: 1, max: 12 }), { freq: 3, nil: undefined }),
  })
  .map(({ log, start, count, within, cut, limit }) => {
    const first = start % log.batches.length
    const batches = log.batches.slice(first, first + count)
    const next = log.batches[first + count]?.bytes ?? Buffer.alloc(0)
    const set = Buffer.concat([...batches.map(({ bytes }) => bytes), next.subarray(0, cut % Math.max(1, next.length))])
    const begin = log.batches[first] as LoggedBatch
    const from = Math.min(begin.lastOffset, (begin.firstOffset ?? begin.lastOffset) + within)
    return { log, batches, set, from, limit: limit === undefined ? Number.POSITIVE_INFINITY : from + limit }
  })

/** The batches that are read, up to the limit, and where that ends. */
function reach({ batches, limit }: Fetch): { read: LoggedBatch[]; nextOffset: number | undefined } {
  const read: LoggedBatch[] = []
  let nextOffset: number | undefined
  for (const batch of batches) {
    if (nextOffset !== undefined && nextOffset >= limit) break
    nextOffset = batch.lastOffset + 1
    if (batch.firstOffset !== undefined && batch.firstOffset >= limit) break
    read.push(batch)
  }
  return { read, nextOffset: nextOffset === undefined ? undefined : Math.min(nextOffset, limit) }
}

/** Those whose markers are in what was fetched or after it, in the order of their ends, as brokers do. */
const abortedIn = ({ log, batches }: Fetch) =>
  log.aborted.filter(({ lastOffset }) => lastOffset >= (batches[0]?.firstOffset ?? batches[0]?.lastOffset ?? 0))

test('all that is visible is read, and nothing else, whatever the format, the compression and the transactions', async () => {
  const cases = new Statistics('record sets', [
    ...['format 0', 'format 1', 'format 2'],
    ...CODECS.map((codec) => `compressed with ${codec}`),
    ...['aborted', 'control batches', 'transactional', 'log append time', 'moved base timestamp', 'emptied batches'],
    ...['dropped before `from`', 'cut off', 'limited', 'nothing complete', 'records', 'headers', 'null values'],
  ])
  await fc.assert(
    fc.asyncProperty(fetches, async (fetch) => {
      const { batches, set, from, limit } = fetch
      const { read, nextOffset } = reach(fetch)
      const isIn = ({ offset }: TestRecord) => offset >= from && offset < limit
      const all = read.filter(({ isAborted }) => !isAborted).flatMap(({ records }) => records)
      const records = all.filter(isIn)

      const result = await readRecordSet(set, PARTITION, from, abortedIn(fetch), limit)
      expect(result.records.map(plainRecord)).toEqual(records.map((record) => expectedRecord(record)))
      expect(result).toMatchObject({
        nextOffset,
        leaderEpoch: read.at(-1)?.leaderEpoch ?? -1,
        bytes: records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0),
        transferredBytes: read.reduce((sum, { bytes }) => sum + bytes.length, 0),
      })

      for (const { magic, codec } of read) {
        cases.count(`format ${magic}`)
        cases.count(`compressed with ${codec}`)
      }
      const batchesWith = (name: string, is: (batch: LoggedBatch) => boolean) =>
        cases.count(name, read.filter(is).length)
      batchesWith('aborted', ({ isAborted }) => isAborted)
      batchesWith('control batches', ({ isControl }) => isControl)
      batchesWith('transactional', ({ producerId }) => producerId !== undefined)
      batchesWith('log append time', ({ isLogAppendTime }) => isLogAppendTime)
      batchesWith('moved base timestamp', ({ isMoved }) => isMoved)
      batchesWith('emptied batches', ({ records, isControl }) => records.length === 0 && !isControl)
      cases.count('dropped before `from`', all.filter(({ offset }) => offset < from).length)
      cases.count('cut off', set.length > batches.reduce((sum, { bytes }) => sum + bytes.length, 0) ? 1 : 0)
      cases.count('limited', read.length < batches.length ? 1 : 0)
      cases.count('nothing complete', nextOffset === undefined ? 1 : 0)
      cases.count('records', records.length)
      cases.count('headers', records.filter(({ headers }) => headers.length > 0).length)
      cases.count('null values', records.filter(({ value }) => value === null).length)
    }),
    { numRuns: 1_000 },
  )
  cases.report()
})

const record = (offset: number, more: Partial<TestRecord> = {}): TestRecord => ({
  offset,
  timestamp: 1_700_000_000_000 + offset,
  key: null,
  value: Buffer.from(String(offset)),
  headers: [],
  ...more,
})
const inTransaction = (offsets: readonly number[], producerId: bigint) =>
  recordBatch(
    offsets.map((offset) => record(offset)),
    { producerId, isTransactional: true },
  )
/** At once, or not at all. */
const read = (set: Buffer, from = 0, aborted: Parameters<typeof readRecordSet>[3] = [], limit?: number) => {
  const result = readRecordSet(set, PARTITION, from, aborted, limit)
  if (result instanceof Promise) throw new Error('It was not read at once')
  return result
}
const offsets = ({ records }: { records: readonly { offset: number }[] }) => records.map(({ offset }) => offset)

test('what is small is read at once', () => {
  for (const codec of CODECS) expect(offsets(read(recordBatch([record(3), record(5)], { codec })))).toEqual([3, 5])
})

test.each(['gzip', 'zstd'] as const)('a large batch is decompressed elsewhere: %s', async (codec) => {
  const many = Array.from({ length: 5_000 }, (_, i) => record(i, { value: Buffer.from(crypto.randomUUID()) }))
  const result = readRecordSet(recordBatch(many, { codec }), PARTITION, 0, [])
  expect(result).toBeInstanceOf(Promise)
  expect((await result).records.map(({ value }) => String(value))).toEqual(many.map(({ value }) => String(value)))
})

test('a batch that compaction has emptied moves the position past its end', () => {
  const emptied = recordBatch([], { firstOffset: 5, lastOffset: 8, codec: 'gzip', leaderEpoch: 3 })
  expect(read(emptied, 5)).toEqual({ records: [], nextOffset: 9, leaderEpoch: 3, bytes: 0, transferredBytes: 61 })
  const both = read(Buffer.concat([recordBatch([record(3), record(4)]), emptied]), 4)
  expect(both).toMatchObject({ nextOffset: 9, leaderEpoch: 3 })
  expect(offsets(both)).toEqual([4])
})

test('a batch whose last records compaction has taken ends where it ended', () => {
  const set = recordBatch([record(2)], { firstOffset: 0, lastOffset: 9 })
  expect(read(set).nextOffset).toBe(10)
})

test('no records move nothing', () => {
  const nothing = { records: [], nextOffset: undefined, leaderEpoch: -1, bytes: 0, transferredBytes: 0 }
  expect(read(Buffer.alloc(0))).toEqual(nothing)
  expect(read(recordBatch([record(0)]).subarray(0, -1))).toEqual(nothing)
})

test('an aborted transaction is left out up to its marker, and what its producer sends next is not', () => {
  const set = Buffer.concat([
    inTransaction([0, 1], 7n),
    recordBatch([record(2)]),
    marker(3, 7n, 'abort'),
    inTransaction([4], 7n),
  ])
  expect(offsets(read(set, 0, [{ producerId: 7n, firstOffset: 0 }]))).toEqual([2, 4])
})

test('a marker that is before what is wanted ends its transaction all the same', () => {
  const set = Buffer.concat([inTransaction([0], 7n), marker(1, 7n, 'abort'), inTransaction([2, 3], 7n)])
  expect(offsets(read(set, 3, [{ producerId: 7n, firstOffset: 0 }]))).toEqual([3])
})

test('aborted transactions that began before the first batch are left out, in whatever order they are listed', () => {
  const set = Buffer.concat([inTransaction([10], 1n), inTransaction([11], 2n), inTransaction([12], 3n)])
  const aborted = [
    { producerId: 2n, firstOffset: 6 },
    { producerId: 1n, firstOffset: 4 },
  ]
  expect(offsets(read(set, 10, aborted))).toEqual([12])
})

test('a record that looks like a marker is none', () => {
  const looksLikeAbort = record(0, { key: Buffer.alloc(4) })
  const set = recordBatch([looksLikeAbort, record(1)], { producerId: 7n, isTransactional: true })
  expect(offsets(read(set, 0, [{ producerId: 7n, firstOffset: 0 }]))).toEqual([])
})

test('records that are not of a transaction are read, also of a producer that aborted one', () => {
  const set = recordBatch([record(0)], { producerId: 7n })
  expect(offsets(read(set, 0, [{ producerId: 7n, firstOffset: 0 }]))).toEqual([0])
})

test('what precedes an undecodable batch is read, and the next fetch says what is wrong', () => {
  const good = recordBatch([record(0), record(1)], { leaderEpoch: 4 })
  const bad = recordBatch([record(2), record(3)])
  bad.writeInt32BE(5, 57) // more records than there are
  repairChecksum(bad)
  const set = Buffer.concat([good, bad])
  expect(read(set, 1)).toMatchObject({ nextOffset: 2, leaderEpoch: 4, bytes: 1, transferredBytes: good.length })
  expect(offsets(read(set, 1))).toEqual([1])
  for (const [bytes, from] of [
    [set, 2],
    [bad, 3],
  ] as const) {
    expect(() => read(bytes, from)).toThrow(
      /^The record batch at offset 2 cannot be decoded: a number in it is cut off/,
    )
  }
})

const changed = (batch: Buffer, change: (bytes: Buffer) => void) => {
  const bytes = Buffer.from(batch)
  change(bytes)
  return bytes
}
const two = recordBatch([record(40), record(41, { headers: [['a', null]] })])
const repaired = (change: (bytes: Buffer) => void) =>
  changed(two, (bytes) => {
    change(bytes)
    repairChecksum(bytes)
  })

test.each<[string, Buffer, RegExp]>([
  ['an unknown format', changed(two, (bytes) => bytes.writeInt8(3, 16)), /its format has the unknown number 3$/],
  ['a negative length', changed(two, (bytes) => bytes.writeInt32BE(-1, 8)), /its length of -1 bytes is impossible$/],
  ['an enormous length', changed(two, (bytes) => bytes.writeInt32BE(2 ** 30, 8)), /its length of 1073741824 bytes/],
  ['a short length', changed(two, (bytes) => bytes.writeInt32BE(20, 8)), /it is shorter than its header$/],
  ['a changed value', changed(two, (bytes) => bytes.writeInt8(0, 70)), /its checksum is wrong$/],
  [
    'an unknown compression',
    repaired((bytes) => bytes.writeInt16BE(5, 21)),
    /its compression has the unknown number 5$/,
  ],
  ['an end before its beginning', repaired((bytes) => bytes.writeInt32BE(-1, 23)), /it ends before its first record$/],
  ['offsets beyond its last', repaired((bytes) => bytes.writeInt32BE(0, 23)), /the offsets of its records are not in/],
  ['a negative count', repaired((bytes) => bytes.writeInt32BE(-2, 57)), /it has a negative number of records$/],
  ['too few records', repaired((bytes) => bytes.writeInt32BE(1, 57)), /it goes on after its last record$/],
  [
    'too many records',
    repaired((bytes) => bytes.writeInt32BE(3, 57)),
    /a number in it is cut off or has more than 32 bits$/,
  ],
  [
    'gzip that is none',
    repaired((bytes) => bytes.writeInt16BE(1, 21)),
    /its gzip bytes are damaged \(incorrect header/,
  ],
  ['Zstandard that is none', repaired((bytes) => bytes.writeInt16BE(4, 21)), /its Zstandard bytes are damaged/],
  ['LZ4 that is none', repaired((bytes) => bytes.writeInt16BE(3, 21)), /its bytes are not an LZ4 frame$/],
  ['a changed message', changed(messageSet(1, [record(40)]), (bytes) => bytes.writeInt8(0, 20)), /checksum is wrong$/],
])('a batch with %s is refused, by name', (_, bytes, message) => {
  expect(() => read(bytes, 40)).toThrow(UndecodableRecords)
  expect(() => read(bytes, 40)).toThrow(/^The record batch at offset 40 cannot be decoded: /)
  expect(() => read(bytes, 40)).toThrow(message)
})

test('a large batch that is damaged is refused too', async () => {
  const many = Array.from({ length: 5_000 }, (_, i) => record(i, { value: Buffer.from(crypto.randomUUID()) }))
  const batch = recordBatch(many, { codec: 'gzip' })
  batch.writeInt8(0, 10_000)
  repairChecksum(batch)
  await expect(readRecordSet(batch, PARTITION, 0, [])).rejects.toThrow(UndecodableRecords)
})

test('a negative length of any size is that of null', () => {
  const set = recordBatch([record(0, { value: null })])
  set.writeInt8(3, set.length - 3) // -2, of the key
  set.writeInt8(3, set.length - 2)
  repairChecksum(set)
  expect(read(set).records[0]).toMatchObject({ key: null, value: null, valueLength: -1 })
})

test('a record that says to be longer than its batch is refused', () => {
  const set = repaired((bytes) => bytes.writeInt8(0x7e, 61))
  expect(() => read(set)).toThrow('a record reaches beyond its end')
  const longer = repaired((bytes) => bytes.writeInt8((bytes[61] as number) + 2, 61))
  expect(() => read(longer)).toThrow('a record in it has not the length that it says')
})

test('a batch that begins before the end of the one before it is refused', () => {
  const set = Buffer.concat([recordBatch([record(3), record(4)]), recordBatch([record(4)])])
  expect(read(set, 3)).toMatchObject({ nextOffset: 5 })
  expect(() => read(set, 5)).toThrow('its offsets overlap those before it')
})

test.each([0, 1] as const)('a compressed message of format %i with anything but messages is refused', (magic) => {
  const set = (inner: Buffer, offset = 1) => compressedMessage(magic, 'gzip', inner, offset)
  const inner = messageSet(magic, [record(0), record(1)])
  expect(offsets(read(set(inner)))).toEqual([0, 1])
  const again = messageSet(magic, [record(1)], { codec: 'gzip' })
  expect(() => read(set(again))).toThrow('a message in it is compressed again')
  expect(() => read(set(messageSet(magic === 0 ? 1 : 0, [record(1)])))).toThrow('a message in it has another format')
  expect(() => read(set(inner.subarray(0, -1)))).toThrow('a message in it reaches beyond its end')
  expect(() => read(set(Buffer.alloc(0)))).toThrow('it is compressed, but has no messages')
  expect(() => read(set(messageSet(magic, [record(1), record(0)]), 9))).toThrow('the offsets in it are not in order')
  expect(() => read(set(inner, 0))).toThrow('the offsets in it are not in order')
  expect(() => read(messageSet(magic, [record(1, { value: null })], {}))).not.toThrow()
})
