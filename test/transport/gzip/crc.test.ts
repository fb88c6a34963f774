import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { combine, shiftOf } from '../../../src/transport/gzip/crc.ts'

test('checksums of parts combine to the checksum of the whole, whatever the parts are', () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 5_000, size: 'max' }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(parts, (texts) => {
      const combined = texts.reduce((crc, text) => combine(crc, crc32(text) | 0, shiftOf(text.length)), 0)
      expect(combined).toBe(crc32(Buffer.concat(texts)) | 0)
    }),
    { numRuns: 300 },
  )
})

test('also of parts of many megabytes', () => {
  const [one, other] = [Buffer.alloc(3_000_000, 'a'), Buffer.alloc(70_000_001, 'b')]
  const combined = combine(crc32(one) | 0, crc32(other) | 0, shiftOf(other.length))
  expect(combined).toBe(crc32(Buffer.concat([one, other])) | 0)
})
