import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteReader } from '../../../../../src/streams/source/kafka/protocol/byte-reader.ts'
import { ByteWriter } from '../../../../../src/streams/source/kafka/protocol/byte-writer.ts'

type Field = readonly [keyof typeof FIELDS, never]
/** How each field is made, written and read. */
const FIELDS = {
  int8: [fc.integer({ min: -128, max: 127 })],
  int16: [fc.integer({ min: -32_768, max: 32_767 })],
  int32: [fc.integer()],
  int64: [fc.maxSafeInteger()],
  string: [fc.string({ unit: 'binary', maxLength: 300 })],
  compactString: [fc.string({ unit: 'binary', maxLength: 300 })],
} as const
const field = fc.oneof(
  ...Object.entries(FIELDS).map(([name, [arbitrary]]) => fc.tuple(fc.constant(name), arbitrary as fc.Arbitrary<never>)),
) as fc.Arbitrary<Field>

test('what is written is read back, however long it is', () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 60 }), fc.array(fc.integer(), { maxLength: 300 }), (fields, numbers) => {
      const writer = new ByteWriter()
      for (const [name, value] of fields) writer[name](value)
      writer.compactArray(numbers, (number) => writer.int32(number)).noTags()
      writer.array(numbers, (number) => writer.int32(number)).bytes(Buffer.from('end'))
      const reader = new ByteReader(writer.buffer)
      for (const [name, value] of fields) expect(reader[name]()).toBe(value)
      expect(reader.compactArray(() => reader.int32())).toEqual(numbers)
      reader.skipTags()
      expect(reader.array(() => reader.int32())).toEqual(numbers)
      expect([reader.int8(), reader.int8(), reader.int8()]).toEqual([...Buffer.from('end')])
      expect(() => reader.int8()).toThrow('The response ends too early')
    }),
  )
})

test('a response that is cut, or claims more than there is, is refused', () => {
  const bytes = new ByteWriter().compactString('topic').array([1, 2, 3], () => {}).buffer
  for (let length = 0; length < bytes.length; length++) {
    const reader = new ByteReader(bytes.subarray(0, length))
    const read = () => {
      reader.compactString()
      return reader.array(() => reader.int32())
    }
    expect(read).toThrow(RangeError)
  }
  expect(() => new ByteReader(Buffer.alloc(9, 0xff)).compactString()).toThrow(RangeError)
})
