import avsc from 'avsc'
import { describe, expect, it } from 'vitest'
import { avroCodec, CodecFailure } from '../../../../src/index.ts'
import { fingerprintOf } from '../../../../src/streams/topic/codecs/avro/fingerprint.ts'
import { RECORD } from './records.ts'

/** Decodes the bytes of a value in this schema. `avsc` writes them: unions are wrapped by their branch. */
function roundTrip(schema: object | string, value: unknown, options = {}): unknown {
  const text = typeof schema === 'string' ? schema : JSON.stringify(schema)
  const bytes = avsc.Type.forSchema(JSON.parse(text.startsWith('{') || text.startsWith('[') ? text : `"${text}"`), {
    wrapUnions: true,
  }).toBuffer(value)
  return avroCodec(text, options)(bytes, RECORD)
}

/** The bytes of a long in Avro's encoding. */
function long(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

describe('Avro', () => {
  it('decodes to plain values', () => {
    const schema = {
      type: 'record',
      name: 'All',
      namespace: 'test',
      fields: [
        { name: 'text', type: 'string' },
        { name: 'count', type: 'int' },
        { name: 'total', type: 'long' },
        { name: 'ratio', type: 'double' },
        { name: 'isOpen', type: 'boolean' },
        { name: 'raw', type: 'bytes' },
        { name: 'mark', type: { type: 'fixed', name: 'Mark', size: 2 } },
        { name: 'state', type: { type: 'enum', name: 'State', symbols: ['OPEN', 'CLOSED'] } },
        { name: 'tags', type: { type: 'array', items: 'string' } },
        { name: 'labels', type: { type: 'map', values: ['null', 'int'] } },
        { name: 'note', type: ['null', 'string'], default: null },
        { name: 'either', type: ['string', 'long', { type: 'array', items: ['null', 'State'] }] },
      ],
    }
    const value = {
      text: 'höchst 💶',
      count: -7,
      total: 2 ** 52,
      ratio: 0.1,
      isOpen: true,
      raw: Buffer.from([1, 2, 255]),
      mark: Buffer.from([9, 8]),
      state: 'CLOSED',
      tags: ['a', ''],
      labels: { a: { int: 1 }, b: null },
      note: null,
      either: { array: [{ 'test.State': 'OPEN' }, null] },
    }
    expect(roundTrip(schema, value)).toEqual({
      ...value,
      raw: 'AQL/',
      mark: 'CQg=',
      labels: { a: 1, b: null },
      either: ['OPEN', null],
    })
  })

  it('decodes logical types to the forms of the API', () => {
    const at = (type: string, logicalType: string, value: unknown, more = {}) =>
      roundTrip({ type, logicalType, ...more }, value)
    expect(at('long', 'timestamp-millis', 1_732_702_530_123)).toBe('2024-11-27T10:15:30.123Z')
    expect(at('long', 'timestamp-micros', 1_732_702_530_123_456)).toBe('2024-11-27T10:15:30.123456Z')
    expect(at('long', 'timestamp-millis', -1)).toBe('1969-12-31T23:59:59.999Z')
    expect(at('long', 'timestamp-micros', -1)).toBe('1969-12-31T23:59:59.999999Z')
    expect(at('long', 'local-timestamp-millis', 0)).toBe('1970-01-01T00:00:00.000')
    expect(at('int', 'date', 20_000)).toBe('2024-10-04')
    expect(at('int', 'date', -1)).toBe('1969-12-31')
    expect(at('int', 'time-millis', 3_723_004)).toBe('01:02:03.004')
    expect(at('long', 'time-micros', 3_723_000_004)).toBe('01:02:03.000004')
    expect(at('string', 'uuid', 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6')).toBe('f81d4fae-7dec-11d0-a765-00a0c91e6bf6')
    const uuid = Buffer.from('f81d4fae7dec11d0a76500a0c91e6bf6', 'hex')
    expect(at('fixed', 'uuid', uuid, { name: 'U', size: 16 })).toBe('f81d4fae-7dec-11d0-a765-00a0c91e6bf6')
    // Nanoseconds since the epoch have more than 53 bits.
    const nanos = avroCodec('{"type":"long","logicalType":"timestamp-nanos"}')
    expect(nanos(long(1_732_702_530_123_456_789n), RECORD)).toBe('2024-11-27T10:15:30.123456789Z')
  })

  it('decodes decimals to text with all digits of their scale', () => {
    const decimal = (hex: string, scale: number, type: object = { type: 'bytes' }) =>
      roundTrip({ ...type, logicalType: 'decimal', precision: 40, scale }, Buffer.from(hex, 'hex'))
    expect(decimal('00', 2)).toBe('0.00')
    expect(decimal('3039', 2)).toBe('123.45')
    expect(decimal('ff', 2)).toBe('-0.01')
    expect(decimal('80', 0)).toBe('-128')
    expect(decimal('', 0)).toBe('0')
    expect(decimal('00d8d726b7177a80000001', 3)).toBe(`${0x00d8d726b7177a80000001n}`.replace(/(...)$/, '.$1'))
    expect(decimal('fffffffffffffffffffe', 4, { type: 'fixed', name: 'F', size: 10 })).toBe('-0.0002')
  })

  it('does not round a long: it refuses the record, or decodes all to text', () => {
    const codec = avroCodec('"long"')
    for (const value of [2n ** 53n - 1n, -(2n ** 53n) + 1n, 0n, -1n, 63n, 64n, -64n, -65n, 2n ** 48n, 2n ** 49n]) {
      expect(codec(long(value), RECORD)).toBe(Number(value))
    }
    for (const value of [2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
      expect(() => codec(long(value), RECORD)).toThrow("`longs: 'text'`")
      expect(avroCodec('"long"', { longs: 'text' })(long(value), RECORD)).toBe(String(value))
    }
    expect(avroCodec('"long"', { longs: 'text' })(long(5n), RECORD)).toBe('5')
  })

  it('decodes recursive types, and names in namespaces', () => {
    const schema = {
      type: 'record',
      name: 'a.Node',
      fields: [
        { name: 'value', type: { type: 'enum', name: 'Kind', symbols: ['X'] } },
        { name: 'kinds', type: { type: 'array', items: 'Kind' } },
        { name: 'next', type: ['null', 'Node'], default: null },
        {
          name: 'inner',
          type: { type: 'record', name: 'Inner', namespace: 'b', fields: [{ name: 'k', type: 'a.Kind' }] },
        },
      ],
    }
    const leaf = { value: 'X', kinds: ['X'], next: null, inner: { k: 'X' } }
    expect(roundTrip(schema, { ...leaf, next: { 'a.Node': leaf } })).toEqual({ ...leaf, next: leaf })
  })

  it('takes a property named __proto__ for one like any other', () => {
    const schema = { type: 'map', values: 'int' }
    const decoded = roundTrip(schema, JSON.parse('{"__proto__":5,"constructor":6}')) as Record<string, unknown>
    expect(Object.entries(decoded)).toEqual([
      ['__proto__', 5],
      ['constructor', 6],
    ])
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype)
  })

  it('decodes single-object encoding by the fingerprint of one of its schemas', () => {
    // Fingerprints that the Avro specification's algorithm gives for canonical forms.
    expect(fingerprintOf('"null"').readBigUInt64LE()).toBe(0x63dd24e7cc258f8an)
    expect(fingerprintOf('"int"').readBigUInt64LE()).toBe(0x7275d51a3f395c8fn)
    const one = { type: 'record', name: 'R', doc: 'no part of it', fields: [{ name: 'n', type: 'int', default: 1 }] }
    const codec = avroCodec([JSON.stringify(one), '"int"'], { framing: 'single-object' })
    const header = (canonical: string) => Buffer.concat([Buffer.from([0xc3, 1]), fingerprintOf(canonical)])
    expect(codec(Buffer.concat([header('"int"'), Buffer.from([8])]), RECORD)).toBe(4)
    const canonical = '{"name":"R","type":"record","fields":[{"name":"n","type":"int"}]}'
    expect(codec(Buffer.concat([header(canonical), Buffer.from([8])]), RECORD)).toEqual({ n: 4 })
    expect(() => codec(Buffer.concat([header('"long"'), Buffer.from([8])]), RECORD)).toThrow('fingerprint')
    expect(() => codec(Buffer.from([8]), RECORD)).toThrow('C3 01')
  })

  it('says of a schema that is none what is wrong with it', () => {
    expect(() => avroCodec('{"type":"record"')).toThrow(/cannot be used: /)
    expect(() => avroCodec('{"type":"record","name":"A","fields":[{"name":"b","type":"Missing"}]}')).toThrow('Missing')
    expect(() => avroCodec(`${'{"type":"array","items":'.repeat(5_000)}"int"${'}'.repeat(5_000)}`)).toThrow('deeper')
    expect(() => avroCodec([])).toThrow('one schema')
  })

  describe('hostile bytes end as a failure, in bounded time and memory:', () => {
    const fails = (schema: object | string, hex: string) => {
      const text = JSON.stringify(schema)
      const before = process.memoryUsage().heapUsed
      expect(() => avroCodec(text)(Buffer.from(hex, 'hex'), RECORD)).toThrow(CodecFailure)
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024)
    }
    const nulls = { type: 'array', items: 'null' }
    const empty = { type: 'array', items: { type: 'record', name: 'E', fields: [] } }
    const hollow = {
      type: 'array',
      items: {
        type: 'record',
        name: 'H',
        fields: Array.from({ length: 1_000 }, (_, index) => ({ name: `f${index}`, type: 'null' })),
      },
    }
    const list = { type: 'record', name: 'L', fields: [{ name: 'next', type: ['null', 'L'] }] }

    it('arrays of two thousand million values that take no byte', () => {
      for (const schema of [nulls, empty, hollow]) fails(schema, `${long(2n ** 31n).toString('hex')}00`)
      fails(nulls, `${long(2n ** 62n).toString('hex')}00`)
      fails(hollow, `${long(9_000n).toString('hex')}00`)
      // Many blocks that are small.
      fails(nulls, 'e807'.repeat(100_000))
    })
    it('negative counts, and lengths beyond the end', () => {
      fails(nulls, `${long(-(2n ** 31n)).toString('hex')}00`)
      fails(nulls, `${long(-(2n ** 63n)).toString('hex')}00`)
      fails('string', '7f')
      fails('string', long(2n ** 40n).toString('hex'))
      fails('bytes', long(-5n).toString('hex'))
    })
    it('records that are nested without end', () => fails(list, '02'.repeat(1_000_000)))
    it('truncated values, and bytes that are left over', () => {
      fails('double', '00')
      fails('int', '')
      fails('int', '0000')
    })
    it('integers of too many bits, indexes of no branch, no boolean, no UTF-8, no number', () => {
      fails('long', 'ff'.repeat(20))
      fails('long', `${'ff'.repeat(9)}7f`)
      fails('int', long(2n ** 31n).toString('hex'))
      fails(['null', 'int'], '04')
      fails(['null', 'int'], '01')
      fails({ type: 'enum', name: 'E', symbols: ['A'] }, '02')
      fails('boolean', '02')
      fails('string', '04c328')
      fails('float', '0000c07f')
      fails('double', '000000000000f07f')
    })
    it('times beyond what a text can say, and decimals of a megabyte', () => {
      fails({ type: 'long', logicalType: 'timestamp-millis' }, long(2n ** 60n).toString('hex'))
      fails({ type: 'int', logicalType: 'date' }, long(2n ** 31n - 1n).toString('hex'))
      fails({ type: 'int', logicalType: 'time-millis' }, long(86_400_000n).toString('hex'))
      const million = long(1_000_000n).toString('hex') + '7f'.repeat(1_000_000)
      fails({ type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 }, million)
    })
  })
})
