import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VarintReader } from '../../../../../src/streams/source/kafka/protocol/varint.ts'
import { varint } from '../../../../kit/record-batches.ts'

const EDGES = [0, 1, -1, 63, 64, -64, -65, 8191, 8192, 2 ** 27 - 1, 2 ** 27, -(2 ** 27) - 1, 2 ** 31 - 1, -(2 ** 31)]

test('numbers of 32 bits are read, one after another', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer(), fc.constantFrom(...EDGES))), (numbers) => {
      const reader = new VarintReader(Buffer.concat(numbers.map(varint)), 0)
      expect(numbers.map(() => reader.int())).toEqual(numbers)
      expect(reader.at).toBe(reader.bytes.length)
    }),
  )
})

test('numbers of 64 bits are read: exactly up to 2^53, and about right beyond', () => {
  const edges = [...EDGES, 2 ** 34, 2 ** 53, -(2 ** 53), 2 ** 53 - 1].map(BigInt)
  const far = [2n ** 54n, 2n ** 55n - 1n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n)]
  const number = fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.constantFrom(...edges, ...far))
  fc.assert(
    fc.property(fc.array(number), (numbers) => {
      const reader = new VarintReader(Buffer.concat(numbers.map(varint)), 0)
      for (const each of numbers) {
        const read = reader.long()
        const error = BigInt(read) - each
        expect(error < 0n ? -error : error).toBeLessThanOrEqual(each >= -(2n ** 53n) && each <= 2n ** 53n ? 0n : 2_048n)
      }
      expect(reader.at).toBe(reader.bytes.length)
    }),
  )
})

test('a number that is too long or cut off is refused', () => {
  const read = (hex: string) => new VarintReader(Buffer.from(hex, 'hex'), 0)
  expect(read('ffffffff0f').int()).toBe(-(2 ** 31))
  for (const hex of ['', 'ff', 'ffffffff', 'ffffffffff00']) expect(() => read(hex).int()).toThrow('more than 32 bits')
  expect(BigInt(read('ffffffffffffffffff01').long())).toBe(-(2n ** 63n))
  for (const hex of ['', 'ff', 'ffff', 'ffffffff', 'ffffffffffffffffff', 'ffffffffffffffffffff00']) {
    expect(() => read(hex).long()).toThrow('more than 64 bits')
  }
})
