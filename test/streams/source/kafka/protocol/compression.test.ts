import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Compression, lz4, snappy, zstd } from '../../../../../src/streams/source/kafka/protocol/compression.ts'

const text = async (codec: Compression, hex: string) => String(await codec.decompress(Buffer.from(hex, 'hex')))
/** The header of an LZ4 frame with neither sizes nor checksums, around one block. */
const lz4Frame = (size: string, block: string) => `04224d186040a7${size}${block}00000000`
/** The header of a snappy-java stream, around one block. */
const xerial = (size: string, block: string) => `82534e4150505900${'00000001'.repeat(2)}${size}${block}`

test('Snappy is read, raw and in the frames of Java', async () => {
  expect(await text(snappy, '051068656c6c6f')).toBe('hello')
  expect(await text(snappy, '08046162160200')).toBe('abababab') // a match that reaches into itself
  expect(await text(snappy, xerial('00000007', '08046162160200'))).toBe('abababab')
})

test('LZ4 is read, compressed and stored', async () => {
  expect(await text(lz4, lz4Frame('07000000', '22616202001063'))).toBe('ababababc')
  expect(await text(lz4, lz4Frame('02000080', '6869'))).toBe('hi')
})

test('Zstandard comes back as it was', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), async (bytes) => {
      const buffer = Buffer.from(bytes)
      expect(await zstd.decompress(await zstd.compress({ buffer }))).toEqual(buffer)
    }),
  )
})

test('damaged records are refused, and neither waited for nor read beyond their end', async () => {
  const damaged: [Compression, string][] = [
    [snappy, '05106865'],
    [snappy, '0804616216ff00'],
    [snappy, xerial('fffffffc', '08046162160200')],
    [snappy, xerial('00000009', '08046162160200')],
    [lz4, lz4Frame('07000000', '2261629900')],
    [lz4, '04224d186040a7ffffff7f'],
    [lz4, '00000000'],
  ]
  for (const [codec, hex] of damaged) await expect(codec.decompress(Buffer.from(hex, 'hex'))).rejects.toThrow()
})

test('whatever the bytes are, reading them ends', async () => {
  const start = fc.constantFrom('', '82534e41505059000000000100000001', '04224d186040a7', '04224d187c40a7')
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ maxLength: 200 }), async (head, tail) => {
      const bytes = Buffer.concat([Buffer.from(head, 'hex'), tail])
      // What comes of it does not matter, only that something does.
      await Promise.allSettled([snappy.decompress(bytes), lz4.decompress(bytes)])
    }),
    { numRuns: 1_000 },
  )
})
