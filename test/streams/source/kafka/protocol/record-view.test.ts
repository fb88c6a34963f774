import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RawRecord } from '../../../../../src/streams/event.ts'
import { readRecordSet } from '../../../../../src/streams/source/kafka/protocol/record-set.ts'
import { type Codec, recordBatch, type TestHeader } from '../../../../kit/record-batches.ts'
import { Statistics } from '../../../../kit/statistics.ts'

function recordWith(value: Buffer | null, more: { key?: Buffer | null; headers?: readonly TestHeader[] } = {}) {
  const set = recordBatch([{ offset: 3, timestamp: 5, key: null, value, headers: [], ...more }])
  const { records } = readRecordSet(set, 1, 0, []) as { records: readonly RawRecord[] }
  return records[0] as Required<Pick<RawRecord, 'valueText' | 'keyText' | 'valueLength'>> & RawRecord
}

test('the text of a value is that of a fatal decoder, or its error', () => {
  const cases = new Statistics('values as text', ['text', 'ASCII', 'a byte order mark', 'a replacement', 'invalid'])
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme-ascii' }),
    fc.string().map((rest) => `\ufeff${rest}`),
    fc.string().map((rest) => `${rest}\ufffd`),
  )
  const bytes = fc.oneof(
    text.map((each) => Buffer.from(each)),
    fc.uint8Array().map((each) => Buffer.from(each)),
  )
  const decoder = new TextDecoder('utf-8', { fatal: true })
  fc.assert(
    fc.property(bytes, (value) => {
      const record = recordWith(value)
      let expected: string
      try {
        expected = decoder.decode(value)
      } catch {
        expect(() => record.valueText()).toThrow(TypeError)
        cases.count('invalid')
        return
      }
      expect(record.valueText()).toBe(expected)
      cases.count('text')
      if (value.every((byte) => byte < 128)) cases.count('ASCII')
      if (value.subarray(0, 3).equals(Buffer.from('\ufeff'))) cases.count('a byte order mark')
      if (expected.includes('\ufffd')) cases.count('a replacement')
    }),
    { numRuns: 2_000 },
  )
  cases.report()
})

test('a record has its value, its length and its key, each of which may be null', () => {
  expect(recordWith(Buffer.from('é'), { key: Buffer.from([0x61, 0xff]) })).toMatchObject({ valueLength: 2 })
  expect(recordWith(null, { key: Buffer.from([0x61, 0xff]) }).keyText()).toBe('a\ufffd')
  expect(recordWith(null)).toMatchObject({ partition: 1, offset: 3, timestamp: 5, value: null, key: null })
  expect(recordWith(null).keyText()).toBe(null)
  expect(recordWith(null).valueLength).toBe(-1)
  expect(() => recordWith(null).valueText()).toThrow(TypeError)
  expect(recordWith(Buffer.alloc(0))).toMatchObject({ valueLength: 0, value: Buffer.alloc(0) })
})

test('headers of one name are an array, one without a value is undefined, and no headers are none', () => {
  const b = Buffer.from('b')
  expect(recordWith(null).headers).toBeUndefined()
  const headers: TestHeader[] = [
    ['a', null],
    ['b', null],
    ['b', b],
    ['b', null],
    ['__proto__', b],
    ['constructor', b],
    ['', b],
  ]
  expect(Object.entries(recordWith(null, { headers }).headers ?? {})).toEqual([
    ['a', undefined],
    ['b', [undefined, b, undefined]],
    ['__proto__', b],
    ['constructor', b],
    ['', b],
  ])
})

test('a hundred thousand headers of one name take no more than so many steps', () => {
  const headers = Array.from({ length: 100_000 }, (): TestHeader => ['', null])
  expect(recordWith(null, { headers }).headers?.['']).toHaveLength(100_000)
})

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Whether the buffer's memory is still held, once nothing else than `kept` may hold it. */
async function isRetained(make: () => { readonly buffer: Buffer; readonly kept: unknown }) {
  const held: unknown[] = []
  // Made in a function of its own: no variable of this one refers to the buffer.
  const memory = (() => {
    const { buffer, kept } = make()
    held.push(kept)
    return new WeakRef(buffer.buffer)
  })()
  for (let turn = 0; turn < 3; turn++) {
    await new Promise(setImmediate)
    collectGarbage()
  }
  return held.length > 0 && memory.deref() !== undefined
}

const LARGE = Buffer.alloc(50_000, 'abcdefghij')
function fetched(codec: Codec) {
  const value = { offset: 0, timestamp: 0, key: null, value: LARGE, headers: [] }
  const buffer = Buffer.concat([recordBatch([value], { codec }), Buffer.alloc(100_000)])
  return { buffer, set: readRecordSet(buffer, 0, 0, []) as { records: readonly RawRecord[] } }
}

test('records retain the response they are views of; those that were compressed, and texts, do not', async () => {
  const records = (codec: Codec) => () => {
    const { buffer, set } = fetched(codec)
    return { buffer, kept: set }
  }
  expect(await isRetained(records('none'))).toBe(true)
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) expect(await isRetained(records(codec))).toBe(false)
  const text = () => {
    const { buffer, set } = fetched('none')
    return { buffer, kept: set.records[0]?.valueText?.() }
  }
  expect(await isRetained(text)).toBe(false)
})

test('what compressed records retain is about as large as they are', () => {
  for (const codec of ['gzip', 'snappy', 'xerial', 'lz4', 'zstd'] as const) {
    const { set } = fetched(codec)
    expect(set.records[0]?.value?.buffer.byteLength).toBeLessThan(LARGE.length * 1.2)
  }
})
