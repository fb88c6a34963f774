import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  MAX_BATCH_BYTES,
  MAX_SET_BYTES,
  MAX_SET_RECORDS,
} from '../../../../../src/streams/source/kafka/protocol/limits.ts'
import {
  type RecordSet,
  readRecordSet,
  UndecodableRecords,
} from '../../../../../src/streams/source/kafka/protocol/record-set.ts'
import { expectedRecord, plainRecord, testLogs } from '../../../../kit/partition-logs.ts'
import { recordBatch, repairChecksum, type TestRecord } from '../../../../kit/record-batches.ts'
import { Statistics } from '../../../../kit/statistics.ts'

/** A change of some bytes, anywhere. */
const mutation = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('byte' as const), at: fc.nat(), byte: fc.constantFrom(0, 1, 0x7f, 0x80, 0xff) }),
  fc.record({ kind: fc.constant('word' as const), at: fc.nat(), word: fc.integer() }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('remove' as const), at: fc.nat(), count: fc.integer({ min: 1, max: 9 }) }),
)
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never

function mutated(set: Buffer, change: Mutation): Buffer {
  const at = change.at % Math.max(1, set.length)
  if (change.kind === 'cut') return set.subarray(0, at)
  if (change.kind === 'remove') return Buffer.concat([set.subarray(0, at), set.subarray(at + change.count)])
  if (change.kind === 'flip') set[at] = (set[at] ?? 0) ^ (1 << change.bit)
  else if (change.kind === 'byte') set[at] = change.byte
  else if (at + 4 <= set.length) set.writeInt32BE(change.word, at)
  return set
}

/** So that a change is not found by the checksum alone. */
function repairChecksums(set: Buffer): void {
  for (let at = 0; at + 61 <= set.length; ) {
    const end = at + 12 + set.readInt32BE(at + 8)
    if (end <= at || end > set.length) return
    if (set[at + 16] === 2 && end - at >= 61) repairChecksum(set, at, end)
    at = end
  }
}

/** The result, or undefined where the set was refused. Any other error fails the test. */
async function outcome(set: Buffer, from: number): Promise<RecordSet | undefined> {
  try {
    return await readRecordSet(set, 7, from, [])
  } catch (error) {
    if (!(error instanceof UndecodableRecords)) throw error
    expect(error.message).toMatch(/^The record batch at offset -?\d+ cannot be decoded: /)
    return undefined
  }
}

function checkShape({ records, nextOffset, bytes }: RecordSet, from: number, set: Buffer): void {
  let previous = from - 1
  let size = 0
  for (const record of records) {
    expect(record.offset).toBeGreaterThan(previous)
    previous = record.offset
    // Each is asked for: a view beyond its bytes would be shorter, or throw.
    const { key, value, headers } = record
    expect(value?.length ?? -1).toBe(record.valueLength)
    size += (key?.length ?? 0) + (value?.length ?? 0)
    expect(Object.keys(headers ?? {}).length).toBeLessThanOrEqual(MAX_BATCH_BYTES)
    expect((value ?? key)?.buffer.byteLength ?? 0).toBeLessThanOrEqual(Math.max(MAX_BATCH_BYTES, set.buffer.byteLength))
  }
  expect(size).toBe(bytes)
  if (nextOffset !== undefined) expect(previous).toBeLessThan(Math.max(nextOffset, from))
}

test('damaged sets are refused or read, and nothing is made of them that was not there', async () => {
  const cases = new Statistics('damaged record sets', ['refused', 'read in part', 'read whole', 'nothing', 'records'])
  await fc.assert(
    fc.asyncProperty(testLogs, fc.array(mutation, { minLength: 1, maxLength: 3 }), async (log, mutations) => {
      const original = Buffer.concat(log.batches.map(({ bytes }) => bytes))
      const first = log.batches[0]?.firstOffset ?? 0
      const set = mutations.reduce(mutated, Buffer.from(original))
      const result = await outcome(set, first)
      const all = log.batches.flatMap(({ records }) => records)
      cases.count(
        result === undefined ? 'refused' : result.records.length === all.length ? 'read whole' : 'read in part',
      )
      if (result === undefined) return
      checkShape(result, first, set)
      // Offsets are not within the checksum of format 2; keys, values, headers and times are.
      const content = (record: object) => JSON.stringify({ ...record, offset: 0, timestamp: 0 })
      const known = new Set(all.map((record) => content(expectedRecord(record))))
      for (const record of result.records) expect(known).toContain(content(plainRecord(record)))
      cases.count('records', result.records.length)
      cases.count('nothing', result.nextOffset === undefined ? 1 : 0)
    }),
    { numRuns: 2_000 },
  )
  cases.report()
})

test('sets that are damaged under a right checksum are refused or read, and reading them ends', async () => {
  const cases = new Statistics('damaged record sets with right checksums', ['refused', 'read', 'records'])
  await fc.assert(
    fc.asyncProperty(testLogs, fc.array(mutation, { minLength: 1, maxLength: 4 }), async (log, mutations) => {
      const set = mutations.reduce(mutated, Buffer.concat(log.batches.map(({ bytes }) => bytes)))
      repairChecksums(set)
      const first = log.batches[0]?.firstOffset ?? 0
      const result = await outcome(set, first)
      cases.count(result === undefined ? 'refused' : 'read')
      if (result === undefined) return
      checkShape(result, first, set)
      cases.count('records', result.records.length)
    }),
    { numRuns: 3_000 },
  )
  cases.report()
})

test('whatever the bytes are, reading them ends', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: -1, max: 3 }), async (array, magic) => {
      const set = Buffer.from(array)
      if (set.length > 80) {
        set.writeInt8(magic, 16)
        set.writeInt32BE(set.length - 12, 8)
        if (magic === 2) repairChecksum(set)
      }
      const result = await outcome(set, 0)
      if (result) checkShape(result, 0, set)
    }),
    { numRuns: 2_000 },
  )
})

const nothing = (offset: number): TestRecord => ({ offset, timestamp: 0, key: null, value: null, headers: [] })

test('a batch of more records than a set may have is read in parts, from within it', async () => {
  const count = MAX_SET_RECORDS + 1_000
  const batch = recordBatch(
    Array.from({ length: count }, (_, i) => nothing(i + 50)),
    { codec: 'zstd' },
  )
  expect(batch.length).toBeLessThan(count)
  const first = await readRecordSet(batch, 0, 50, [])
  expect(first).toMatchObject({ nextOffset: 50 + MAX_SET_RECORDS, transferredBytes: batch.length })
  expect(first.records).toHaveLength(MAX_SET_RECORDS)
  const rest = await readRecordSet(batch, 0, 50 + MAX_SET_RECORDS, [])
  expect(rest.nextOffset).toBe(50 + count)
  expect(rest.records).toHaveLength(1_000)
})

test('of many batches that become large, some are left for the next fetch', async () => {
  const value = Buffer.alloc(MAX_SET_BYTES / 4)
  const batches = Array.from({ length: 8 }, (_, i) => recordBatch([{ ...nothing(i), value }], { codec: 'zstd' }))
  const result = await readRecordSet(Buffer.concat(batches), 0, 0, [])
  expect(result).toMatchObject({ nextOffset: 4, bytes: MAX_SET_BYTES })
  const read = batches.slice(0, 4).reduce((sum, { length }) => sum + length, 0)
  expect(result.transferredBytes).toBe(read)
})
