import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decompress, GZIP, LZ4, SNAPPY, ZSTD } from '../../../../../src/streams/source/kafka/protocol/compression.ts'
import { MAX_BATCH_BYTES } from '../../../../../src/streams/source/kafka/protocol/limits.ts'
import { inTurns } from '../../../../../src/streams/source/kafka/protocol/steps.ts'
import { lz4Frame, snappyBlock, xerialSnappy } from '../../../../kit/compressors.ts'
import { Statistics } from '../../../../kit/statistics.ts'

const read = async (type: number, bytes: Buffer) => inTurns(decompress(type, bytes))
const text = async (type: number, hex: string) => String(await read(type, Buffer.from(hex, 'hex')))
/** The header of an LZ4 frame with neither sizes nor checksums, around one block. */
const frame = (size: string, block: string) => `04224d186040a7${size}${block}00000000`
/** The header of a snappy-java stream, around one block. */
const xerial = (size: string, block: string) => `82534e4150505900${'00000001'.repeat(2)}${size}${block}`

test('Snappy is read, raw and in the frames of Java', async () => {
  expect(await text(SNAPPY, '051068656c6c6f')).toBe('hello')
  expect(await text(SNAPPY, '08046162160200')).toBe('abababab') // a match that reaches into itself
  expect(await text(SNAPPY, xerial('00000007', '08046162160200'))).toBe('abababab')
})

test('LZ4 is read, compressed and stored', async () => {
  expect(await text(LZ4, frame('07000000', '22616202001063'))).toBe('ababababc')
  expect(await text(LZ4, frame('02000080', '6869'))).toBe('hi')
})

test('whatever was compressed comes back as it was, with every encoder', async () => {
  const encoders: Record<string, readonly [number, (bytes: Buffer) => Buffer]> = {
    gzip: [GZIP, gzipSync],
    zstd: [ZSTD, zstdCompressSync],
    snappy: [SNAPPY, snappyBlock],
    xerial: [SNAPPY, xerialSnappy],
    'xerial in small blocks': [SNAPPY, (bytes) => xerialSnappy(bytes, 50)],
    lz4: [LZ4, lz4Frame],
    'lz4 stored': [LZ4, (bytes) => lz4Frame(bytes, { isStored: true })],
    'lz4 with all that a frame may have': [
      LZ4,
      (bytes) => lz4Frame(bytes, { hasContentSize: true, hasChecksums: true }),
    ],
  }
  const cases = new Statistics('compressed', [...Object.keys(encoders), 'nothing', 'over 64 KiB', 'in several turns'])
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
    fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 30 }), fc.nat(5_000))
      .map(([unit, times]) => Buffer.concat(Array.from({ length: times }, () => unit))),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 5 }),
      fc.constantFrom(...Object.keys(encoders)),
      async (parts, name) => {
        const bytes = Buffer.concat(parts)
        const [type, encode] = encoders[name] as (typeof encoders)[string]
        const decompressed = inTurns(decompress(type, encode(bytes)))
        expect((await decompressed).equals(bytes)).toBe(true)
        cases.count(name)
        cases.count('nothing', bytes.length === 0 ? 1 : 0)
        cases.count('over 64 KiB', bytes.length > 65_536 ? 1 : 0)
        cases.count('in several turns', decompressed instanceof Promise ? 1 : 0)
      },
    ),
    { numRuns: 300 },
  )
  cases.report()
})

test('kafkajs gets the same', async () => {})

test.each<[string, number, string]>([
  ['Snappy that is cut off', SNAPPY, '05106865'],
  ['Snappy that refers to what is before it', SNAPPY, '0804616216ff00'],
  ['Snappy without a length', SNAPPY, ''],
  ['Snappy with an endless length', SNAPPY, 'ffffffffffff'],
  ['Snappy with an enormous length', SNAPPY, 'ffffffff0f00'],
  ['Snappy that is shorter than it says', SNAPPY, '061068656c6c6f'],
  ['Snappy that is longer than it says', SNAPPY, '041068656c6c6f'],
  ['Snappy in a block of a negative size', SNAPPY, xerial('fffffffc', '08046162160200')],
  ['Snappy in a block that is cut off', SNAPPY, xerial('00000009', '08046162160200')],
  ['LZ4 that refers to what is before it', LZ4, frame('07000000', '2261629900')],
  ['LZ4 that is cut off', LZ4, '04224d186040a7ffffff7f'],
  ['LZ4 of another format', LZ4, '00000000000000'],
  ['LZ4 without a block size', LZ4, '04224d186000a700000000'],
  ['LZ4 with a block larger than the frame says', LZ4, frame('05010000', `1f610100${'ff'.repeat(0x101)}`)],
  ['gzip that is none', GZIP, '00'],
  ['Zstandard that is none', ZSTD, '00'],
  ['no compression', 0, ''],
])('%s is refused', async (_, type, hex) => {
  await expect(text(type, hex)).rejects.toMatchObject({ name: 'Corrupt' })
})

const zeros = Buffer.alloc(MAX_BATCH_BYTES + 1)
/** One literal, and then references to it: 4 MiB a block. */
function largeLz4(): Buffer {
  const bytes = 4 * 1024 * 1024
  const rest = bytes - 1 - 4 - 15
  const length = Buffer.concat([Buffer.alloc(Math.floor(rest / 255), 255), Buffer.from([rest % 255])])
  const block = Buffer.concat([Buffer.from([0x1f, 0x61, 1, 0]), length])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(block.length)
  const blocks = Array.from({ length: MAX_BATCH_BYTES / bytes + 1 }, () => [size, block]).flat()
  return Buffer.concat([Buffer.from('04224d186070a7', 'hex'), ...blocks, Buffer.alloc(4)])
}

test.each<[string, number, () => Buffer]>([
  ['gzip', GZIP, () => gzipSync(zeros, { level: 1 })],
  ['Zstandard', ZSTD, () => zstdCompressSync(zeros)],
  ['Snappy', SNAPPY, () => Buffer.concat([Buffer.from('8180808001', 'hex'), Buffer.alloc(13_000_000)])],
  ['LZ4', LZ4, largeLz4],
])('what decompresses to more than the limit is refused: %s', async (_, type, compressed) => {
  await expect(read(type, compressed())).rejects.toThrow(`it has more than ${MAX_BATCH_BYTES} bytes when decompressed`)
})

test('whatever the bytes are, reading them ends', async () => {
  const start = fc.constantFrom('', '82534e41505059000000000100000001', '04224d186040a7', '04224d187c40a7')
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ maxLength: 200 }), async (head, tail) => {
      const bytes = Buffer.concat([Buffer.from(head, 'hex'), tail])
      // What comes of it does not matter, only that something does.
      await Promise.allSettled([read(SNAPPY, bytes), read(LZ4, bytes), read(GZIP, deflateRawSync(bytes))])
    }),
    { numRuns: 1_000 },
  )
})
