import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SluiceError } from '../../../src/errors/codes.ts'
import { type Cursor, decodeCursor, encodeCursor, storedTimestamp } from '../../../src/streams/cursor/cursor.ts'
import { MAX_PARTITIONS, UNKNOWN } from '../../../src/streams/cursor/vector.ts'
import { STAMPS } from '../../kit/stamps.ts'
import { Statistics } from '../../kit/statistics.ts'
import { bestMs } from '../../kit/yardstick.ts'

const MAX_TIMESTAMP = 2 ** 48 - 1
/** A cursor names the offset after the last: 2^53 - 1 itself, plus one, is no exact number. */
const MAX_OFFSET = Number.MAX_SAFE_INTEGER - 1

const offset = fc.oneof(
  fc.constantFrom(UNKNOWN, 0, 126, 127, 128, 2 ** 31, 2 ** 32, MAX_OFFSET),
  fc.integer({ min: 0, max: MAX_OFFSET }),
)
const timestamp = fc.integer({ min: 0, max: MAX_TIMESTAMP })
const bare: fc.Arbitrary<Cursor> = fc.record({
  positions: fc.oneof(
    fc.array(offset, { minLength: 1, maxLength: 12 }),
    fc.array(offset, { minLength: MAX_PARTITIONS - 4, maxLength: MAX_PARTITIONS, size: 'max' }),
  ),
  epoch: fc.option(timestamp, { nil: undefined }),
})
/** A fingerprint of version 1 is just before the position. */
const cursors: fc.Arbitrary<Cursor> = fc
  .tuple(bare, fc.option(fc.tuple(fc.nat(), timestamp), { nil: undefined }))
  .map(([cursor, said]) => {
    const partition = said && said[0] % cursor.positions.length
    const next = partition === undefined ? 0 : (cursor.positions[partition] as number)
    if (!said || partition === undefined || next < 1) return { ...cursor, fingerprint: undefined }
    return { ...cursor, fingerprint: { partition, offset: next - 1, timestamp: said[1] } }
  })

function refusalOf(text: string, topic = 'orders'): SluiceError {
  try {
    decodeCursor(topic, text)
  } catch (error) {
    if (error instanceof SluiceError) return error
    throw error
  }
  throw new Error(`"${text}" was taken`)
}

test('a cursor comes back as it was written, with 1 to 256 partitions and any offset', () => {
  const statistics = new Statistics('cursor', [
    '1 partition',
    '256 partitions',
    'unknown partition',
    'largest offset',
    'epoch',
    'no epoch',
    'fingerprint',
    'no fingerprint',
  ])
  fc.assert(
    fc.property(cursors, (cursor) => {
      for (const version of [1, 2]) {
        const text = encodeCursor('orders', cursor, version)
        expect(text).toMatch(/^[A-Za-z0-9_-]+$/)
        expect(decodeCursor('orders', text)).toEqual(cursor)
      }
      const { positions, epoch, fingerprint } = cursor
      if (positions.length === 1) statistics.count('1 partition')
      if (positions.length === MAX_PARTITIONS) statistics.count('256 partitions')
      if (positions.includes(UNKNOWN)) statistics.count('unknown partition')
      if (positions.includes(MAX_OFFSET)) statistics.count('largest offset')
      statistics.count(epoch === undefined ? 'no epoch' : 'epoch')
      statistics.count(fingerprint === undefined ? 'no fingerprint' : 'fingerprint')
    }),
    { numRuns: 1000 },
  )
  statistics.report()
})

test('equal positions make equal cursors, and other positions others', () => {
  fc.assert(
    fc.property(cursors, fc.nat(), offset, (cursor, index, other) => {
      const text = encodeCursor('orders', cursor)
      expect(encodeCursor('orders', structuredClone(cursor))).toBe(text)
      const at = index % cursor.positions.length
      fc.pre(cursor.positions[at] !== other)
      expect(encodeCursor('orders', { ...cursor, positions: cursor.positions.with(at, other) })).not.toBe(text)
    }),
  )
})

test('a cursor with any one bit flipped is refused', () => {
  let flips = 0
  fc.assert(
    fc.property(cursors, (cursor) => {
      fc.pre(cursor.positions.length <= 12)
      const bytes = Buffer.from(encodeCursor('orders', cursor), 'base64url')
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = Buffer.from(bytes)
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
        expect(refusalOf(flipped.toString('base64url')).code).toBe('CURSOR_INVALID')
        flips++
      }
    }),
    { numRuns: 30 },
  )
  console.log(`cursor: ${flips} bits flipped, none taken`)
})

test('a cursor cut short anywhere, or with more behind it, is refused', () => {
  fc.assert(
    fc.property(cursors, (cursor) => {
      const text = encodeCursor('orders', cursor)
      for (let length = 0; length < text.length; length++) {
        expect(refusalOf(text.slice(0, length)).code).toBe('CURSOR_INVALID')
      }
      expect(refusalOf(`${text}AAAA`).code).toBe('CURSOR_INVALID')
      expect(refusalOf(text + text).code).toBe('CURSOR_INVALID')
    }),
    { numRuns: 50 },
  )
})

test('a cursor of another topic is refused, and says so', () => {
  const text = encodeCursor('orders', { positions: [1, 2, 3] })
  const error = refusalOf(text, 'payments')
  expect(error.code).toBe('CURSOR_INVALID')
  expect(error.message).toBe('The cursor belongs to another topic')
})

test('text that is no cursor is refused, whatever it is', () => {
  for (const text of ['', ' ', 'now', '0', '=', 'AQ==', '../../etc/passwd', 'ключ', '\0', 'A'.repeat(40)]) {
    expect(refusalOf(text).code).toBe('CURSOR_INVALID')
  }
  fc.assert(fc.property(fc.string(), (text) => refusalOf(text).code === 'CURSOR_INVALID'))
  const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('base64url'))
  fc.assert(fc.property(noise, (text) => refusalOf(text).code === 'CURSOR_INVALID'))
})

test('10 KB of text is refused as fast as a few characters, without being decoded', async () => {
  const long = 'A'.repeat(10_240)
  const times = await bestMs(50, { long: () => refusalOf(long), short: () => refusalOf('AQ==') })
  console.log(`10 KB refused in ${times.long} ms, 4 characters in ${times.short} ms`)
  expect(times.long / times.short).toBeLessThan(5)
})

test('twelve partitions at large offsets, with a fingerprint, fit into 120 characters', () => {
  const positions = Array.from({ length: 12 }, (_, partition) => 4_000_000_000_000 + partition)
  const text = encodeCursor(
    'orders',
    { positions, fingerprint: { partition: 11, offset: (positions[11] as number) - 200, timestamp: Date.now() } },
    2,
  )
  expect(text.length).toBeLessThanOrEqual(120)
})

test('256 partitions at the largest offsets fit into a header of 8 KB', () => {
  const positions = new Array<number>(MAX_PARTITIONS).fill(MAX_OFFSET)
  const text = encodeCursor(
    'orders',
    { positions, epoch: MAX_TIMESTAMP, fingerprint: { partition: 255, offset: 0, timestamp: 0 } },
    2,
  )
  expect(text.length).toBeLessThan(4096)
  expect(decodeCursor('orders', text).positions).toEqual(positions)
})

/** What cannot be said is beyond what a field holds, or no whole number at all. */
const anyNumber = fc.oneof(
  fc.constantFrom(...Object.values(STAMPS), 2 ** 48 - 1, 2 ** 53 - 2, 2 ** 53 - 1, 2 ** 53, 2 ** 63, -2, -(2 ** 31)),
  fc.constantFrom(0.5, 127.5, -0, Number.NEGATIVE_INFINITY, Number.MIN_VALUE),
  fc.double(),
  fc.maxSafeInteger(),
  offset,
)
const anyPartition = fc.oneof(fc.nat(15), fc.integer({ min: 0, max: 300 }), anyNumber)
const anything: fc.Arbitrary<Cursor> = fc.record({
  positions: fc.oneof(
    fc.array(anyNumber, { maxLength: 12 }),
    fc.array(anyNumber, { minLength: MAX_PARTITIONS - 4, maxLength: MAX_PARTITIONS + 50, size: 'max' }),
  ),
  epoch: fc.option(anyNumber, { nil: undefined }),
  fingerprint: fc.option(fc.record({ partition: anyPartition, offset: anyNumber, timestamp: anyNumber }), {
    nil: undefined,
  }),
})

/** Such a cursor, with a fingerprint that lies just before one of its positions. */
const anythingNear = fc.tuple(anything, fc.nat(), fc.constantFrom(1, 1, 2, 256, 257)).map(([cursor, at, before]) => {
  const partition = at % Math.max(1, cursor.positions.length)
  const position = cursor.positions[partition]
  if (!cursor.fingerprint || position === undefined) return cursor
  return { ...cursor, fingerprint: { ...cursor.fingerprint, partition, offset: position - before } }
})

test('whatever a cursor is made of, it can be written, and what is read of it is never past what was meant', () => {
  const statistics = new Statistics('cursors of anything', [
    'no partition',
    'more than 256 partitions',
    'offset beyond 2^53',
    'offset that is no whole number',
    'negative offset',
    'epoch beyond 48 bits',
    'negative epoch',
    'epoch that is no number',
    'timestamp beyond 48 bits',
    'negative timestamp',
    'timestamp that is no number',
    'fingerprint of a partition beyond 255',
    'fingerprint was said',
    'fingerprint was left out',
  ])
  fc.assert(
    fc.property(fc.oneof(anything, anythingNear), fc.constantFrom(1, 2), (cursor, version) => {
      const { positions, epoch, fingerprint } = cursor
      const text = encodeCursor('orders', cursor, version)
      expect(text.length).toBeLessThan(4096)
      const read = decodeCursor('orders', text)
      expect(encodeCursor('orders', read, version)).toBe(text)
      expect(read.positions.length).toBe(Math.min(Math.max(positions.length, 1), MAX_PARTITIONS))
      for (const [partition, said] of read.positions.entries()) {
        const meant = positions[partition] ?? UNKNOWN
        if (Number.isInteger(meant) && meant >= UNKNOWN && meant <= MAX_OFFSET) expect(said === meant).toBe(true)
        else expect(said === UNKNOWN || said <= meant).toBe(true)
      }
      expect(read.epoch).toBe(epoch === undefined ? undefined : storedTimestamp(epoch))
      if (read.fingerprint) {
        const { partition, offset, timestamp } = fingerprint as NonNullable<Cursor['fingerprint']>
        // -0 is no other number than 0.
        expect(read.fingerprint).toEqual({
          partition: partition + 0,
          offset: offset + 0,
          timestamp: storedTimestamp(timestamp),
        })
      }

      if (positions.length === 0) statistics.count('no partition')
      if (positions.length > MAX_PARTITIONS) statistics.count('more than 256 partitions')
      if (positions.some((each) => each > 2 ** 53)) statistics.count('offset beyond 2^53')
      if (positions.some((each) => !Number.isInteger(each))) statistics.count('offset that is no whole number')
      if (positions.some((each) => each < UNKNOWN)) statistics.count('negative offset')
      if (epoch !== undefined && epoch >= 2 ** 48) statistics.count('epoch beyond 48 bits')
      if (epoch !== undefined && epoch < 0) statistics.count('negative epoch')
      if (Number.isNaN(epoch)) statistics.count('epoch that is no number')
      if (!fingerprint) return
      if (fingerprint.timestamp >= 2 ** 48) statistics.count('timestamp beyond 48 bits')
      if (fingerprint.timestamp < 0) statistics.count('negative timestamp')
      if (Number.isNaN(fingerprint.timestamp)) statistics.count('timestamp that is no number')
      if (fingerprint.partition > 255) statistics.count('fingerprint of a partition beyond 255')
      statistics.count(read.fingerprint ? 'fingerprint was said' : 'fingerprint was left out')
    }),
    { numRuns: 3000 },
  )
  statistics.report()
})

test('a stored form is the number itself where six bytes hold it, and always what six bytes hold', () => {
  fc.assert(fc.property(timestamp, (exact) => storedTimestamp(exact) === exact))
  fc.assert(
    fc.property(anyNumber, (number) => {
      const said = storedTimestamp(number)
      return Number.isInteger(said) && said >= 0 && said <= MAX_TIMESTAMP && storedTimestamp(said) === said
    }),
  )
  expect(storedTimestamp(STAMPS.microseconds)).not.toBe(storedTimestamp(STAMPS.microseconds + 1))
})

test('a fingerprint that has no moment since 1970 is written as 1970, as it always was', () => {
  for (const timestamp of [-1, Number.NaN]) {
    const text = encodeCursor('orders', { positions: [1], fingerprint: { partition: 0, offset: 0, timestamp } })
    expect(decodeCursor('orders', text).fingerprint).toEqual({ partition: 0, offset: 0, timestamp: 0 })
  }
})

test.each([
  ['AQDlL_3uAAh1O1bx', { positions: [7] }],
  ['AuUv_e4ACNZAR1E', { positions: [7] }],
  ['AQHlL_3uAaIBlzyDAoGA0ZS1dAABYPiI5A', { positions: [4_000_000_000_000, UNKNOWN, 0], epoch: 1_795_323_018_371 }],
  ['EuUv_e4BogGXPIMCgYDRlLV0AAH-nLOT', { positions: [4_000_000_000_000, UNKNOWN, 0], epoch: 1_795_323_018_371 }],
  [
    'AQLlL_3uAQGiAZc8gwEHrQJeQLg_',
    { positions: [6, 300], fingerprint: { partition: 1, offset: 299, timestamp: 1_795_323_018_371 } },
  ],
  [
    'IuUv_e4BAaIBlzyDAgEHrQJ6igRT',
    { positions: [6, 300], fingerprint: { partition: 1, offset: 297, timestamp: 1_795_323_018_371 } },
  ],
  ['AQLlL_3uAAAAAAAAAAAC0ydi9A', { positions: [1], fingerprint: { partition: 0, offset: 0, timestamp: 0 } }],
])('the cursor %s of an earlier build is read as what was written then', (text, cursor) => {
  expect(decodeCursor('orders', text)).toEqual({ epoch: undefined, fingerprint: undefined, ...cursor })
})

test('a fingerprint that is not just before the position is named by version 2 alone', () => {
  const cursor = { positions: [7, 3], epoch: undefined, fingerprint: { partition: 0, offset: 2, timestamp: 5 } }
  expect(decodeCursor('orders', encodeCursor('orders', cursor, 1))).toEqual({ ...cursor, fingerprint: undefined })
  expect(decodeCursor('orders', encodeCursor('orders', cursor, 2))).toEqual(cursor)
})

test('version 1 is written unless the other is asked for, and both are read', () => {
  const versionOf = (text: string) => (Buffer.from(text, 'base64url')[0] as number) & 0x0f
  expect(versionOf(encodeCursor('orders', { positions: [1] }))).toBe(1)
  expect(versionOf(encodeCursor('orders', { positions: [1] }, 2))).toBe(2)
})

test('a fingerprint at no offset is refused, though its checksum is right', () => {
  const cursor = { positions: [1, UNKNOWN], fingerprint: { partition: 0, offset: 0, timestamp: 5 } }
  const bytes = Buffer.from(encodeCursor('orders', cursor), 'base64url').subarray(0, -4)
  bytes[6] = 1 // a partition that is not known
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(bytes))
  expect(refusalOf(Buffer.concat([bytes, sum]).toString('base64url')).code).toBe('CURSOR_INVALID')
})
