import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c } from '../../../../../src/streams/source/kafka/protocol/crc32c.ts'

const of = (bytes: Buffer) => crc32c(bytes, 0, bytes.length)

// RFC 3720, appendix B.4, and the usual check value.
test.each<[string, Buffer, number]>([
  ['123456789', Buffer.from('123456789'), 0xe3069283],
  ['zeros', Buffer.alloc(32), 0x8a9136aa],
  ['ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['ascending', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  ['descending', Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
  ['nothing', Buffer.alloc(0), 0],
])('the published checksum: %s', (_, bytes, checksum) => {
  expect(of(bytes)).toBe(checksum)
})

test('a part of a buffer has the checksum that it has alone, wherever it is', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(20), fc.nat(20), (array, before, after) => {
      const bytes = Buffer.from(array)
      const whole = Buffer.concat([Buffer.alloc(before, 1), bytes, Buffer.alloc(after, 2)])
      expect(crc32c(whole, before, before + bytes.length)).toBe(of(bytes))
    }),
  )
})
