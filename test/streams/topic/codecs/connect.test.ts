import { describe, expect, it } from 'vitest'
import {
  type Codec,
  connectCodec,
  debeziumCodec,
  type Field,
  type Shape,
  shapeOfChange,
  TOMBSTONE,
  zodOf,
} from '../../../../src/index.ts'
import { RECORD } from './records.ts'

const json = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const field = (name: string, type: string, more = {}) => ({ field: name, type, optional: true, ...more })
const decimal = (scale: number) => ({
  name: 'org.apache.kafka.connect.data.Decimal',
  parameters: { scale: String(scale) },
})

describe("Kafka Connect's JSON", () => {
  const codec = connectCodec()

  it('decodes the payload by its schema', () => {
    const schema = {
      type: 'struct',
      fields: [
        field('id', 'int64'),
        field('amount', 'bytes', decimal(2)),
        field('at', 'int64', { name: 'org.apache.kafka.connect.data.Timestamp' }),
        field('day', 'int32', { name: 'org.apache.kafka.connect.data.Date' }),
        field('time', 'int32', { name: 'org.apache.kafka.connect.data.Time' }),
        field('micro', 'int64', { name: 'io.debezium.time.MicroTimestamp' }),
        field('nano', 'int64', { name: 'io.debezium.time.NanoTimestamp' }),
        field('zoned', 'string', { name: 'io.debezium.time.ZonedTimestamp' }),
        field('free', 'struct', {
          name: 'io.debezium.data.VariableScaleDecimal',
          fields: [field('scale', 'int32'), field('value', 'bytes')],
        }),
        { ...field('list', 'array'), items: { type: 'bytes', ...decimal(1) } },
        { ...field('map', 'map'), keys: { type: 'string' }, values: { type: 'int32', name: 'io.debezium.time.Date' } },
        field('none', 'string'),
      ],
    }
    const payload = {
      id: 5,
      amount: 'MDk=',
      at: 1_732_702_530_123,
      day: 20_000,
      time: 1,
      micro: 1,
      nano: '@',
      zoned: '2024-11-27T10:15:30.5+01:00',
      free: { scale: 3, value: '/w==' },
      list: ['Cg==', null],
      map: { a: 0 },
      none: null,
    }
    const text = JSON.stringify({ schema, payload }).replace('"@"', '1732702530123456789')
    expect(codec(json(text), RECORD)).toEqual({
      id: 5,
      amount: '123.45',
      at: '2024-11-27T10:15:30.123Z',
      day: '2024-10-04',
      time: '00:00:00.001',
      micro: '1970-01-01T00:00:00.000001Z',
      nano: '2024-11-27T10:15:30.123456789Z',
      zoned: '2024-11-27T10:15:30.5+01:00',
      free: '-0.001',
      list: ['1.0', null],
      map: { a: '1970-01-01' },
      none: null,
    })
  })

  it('does not round 64-bit integers: it refuses the record, or decodes all to text', () => {
    const text = (value: string) => json(`{"schema":{"type":"int64"},"payload":${value}}`)
    expect(codec(text('9007199254740991'), RECORD)).toBe(9_007_199_254_740_991)
    expect(() => codec(text('9007199254740993'), RECORD)).toThrow("`longs: 'text'`")
    expect(connectCodec(undefined, { longs: 'text' })(text('9007199254740993'), RECORD)).toBe('9007199254740993')
    expect(connectCodec(undefined, { longs: 'text' })(text('-9223372036854775808'), RECORD)).toBe(
      '-9223372036854775808',
    )
  })

  it('takes a schema of null for that of any payload, and refuses what is no envelope', () => {
    expect(codec(json({ schema: null, payload: { a: 1 } }), RECORD)).toEqual({ a: 1 })
    for (const value of [{ a: 1 }, { schema: {}, payload: 1, more: 2 }, [], 5, null]) {
      expect(() => codec(json(value), RECORD)).toThrow('is not {"schema"')
    }
    for (const schema of [{ type: 'struct' }, { type: 'int64' }, { type: 'array' }, { type: 'bytes', ...decimal(2) }]) {
      expect(() => codec(json({ schema, payload: true }), RECORD)).toThrow('does not fit its schema')
    }
    const deep = `${'{"schema":{"type":"array","items":'}${'{"type":"array","items":'.repeat(3_000)}{}${'}'.repeat(3_000)}},"payload":${'['.repeat(3_000)}${']'.repeat(3_000)}}`
    expect(() => codec(json(deep), RECORD)).toThrow('deeper')
  })
})

describe("Debezium's changes", () => {
  const source = { db: 'shop', table: 'orders', ts_ms: 5 }
  const change = (op: string, before: unknown, after: unknown) => json({ before, after, op, source, ts_ms: 7 })
  const codec = debeziumCodec()
  const keyed = (key: string | null) => ({ ...RECORD, key })

  it('become the row after them, with operation and source, with a schema or without', () => {
    for (const op of ['c', 'u', 'r']) {
      expect(codec(change(op, null, { id: 1, name: 'a' }), RECORD)).toEqual({ id: 1, name: 'a', op, source })
    }
    const schema = {
      type: 'struct',
      fields: [
        { ...field('after', 'struct'), fields: [field('id', 'int64'), field('price', 'bytes', decimal(2))] },
        field('op', 'string'),
      ],
    }
    const payload = { after: { id: 1, price: 'MDk=' }, op: 'c' }
    expect(codec(json({ schema, payload }), RECORD)).toEqual({ id: 1, price: '123.45', op: 'c', source: null })
  })

  it('of a deletion have what is known of the row: before, or its key', () => {
    expect(codec(change('d', { id: 1, name: 'a' }, null), keyed('{"id":1}'))).toEqual({
      id: 1,
      name: 'a',
      op: 'd',
      source,
    })
    expect(codec(change('d', null, null), keyed('{"id":1}'))).toEqual({ id: 1, op: 'd', source })
    expect(codec(change('d', null, null), keyed('{"schema":{},"payload":{"id":1}}'))).toEqual({
      id: 1,
      op: 'd',
      source,
    })
    expect(codec(change('d', null, null), keyed('\0\0\0\0\x01'))).toEqual({ op: 'd', source })
    expect(debeziumCodec({ deletes: 'tombstone' })(change('d', { id: 1 }, null), RECORD)).toBe(TOMBSTONE)
  })

  it('that are of no row are refused: truncations, messages, transactions, heartbeats', () => {
    for (const op of ['t', 'm', 'x']) expect(() => codec(change(op, null, null), RECORD)).toThrow('not one of a row')
    expect(() => codec(change('c', null, null), RECORD)).toThrow('has no row')
    expect(() => codec(json({ status: 'BEGIN', id: '1' }), RECORD)).toThrow('no change of Debezium')
    expect(() => codec(json([]), RECORD)).toThrow('no change of Debezium')
  })

  it('do not hide a column behind the operation or the source', () => {
    const row = { id: 1, op: 'mine', source: 'mine' }
    expect(() => codec(change('c', null, row), RECORD)).toThrow("codec's option `op`")
    expect(() => debeziumCodec({ op: '__op' })(change('c', null, row), RECORD)).toThrow("codec's option `source`")
    const named = debeziumCodec({ op: '__op', source: false })
    expect(named(change('c', null, row), RECORD)).toEqual({ ...row, __op: 'c' })
  })

  it('are decoded by another codec, whose preparation they need', () => {
    const prepare = () => undefined
    const inner: Codec = Object.assign(() => ({ op: 'c', after: { id: 1 }, source }), { prepare })
    expect(debeziumCodec({ inner })(json(''), RECORD)).toEqual({ id: 1, op: 'c', source })
    expect(debeziumCodec({ inner }).prepare).toBe(prepare)
    expect(connectCodec(inner).prepare).toBe(prepare)
    expect(codec.prepare).toBeUndefined()
  })

  it('have a shape', () => {
    const certain = { isOptional: false, isNullable: false }
    const row: Shape = {
      kind: 'object',
      fields: new Map<string, Field>([['id', { shape: { kind: 'int' }, ...certain }]]),
    }
    const fields = new Map<string, Field>([
      ['after', { shape: row, ...certain }],
      ['source', { shape: { kind: 'unknown' }, ...certain }],
    ])
    const schema = zodOf(shapeOfChange({ kind: 'object', fields }))
    expect(schema.parse(codec(change('c', null, { id: 1 }), RECORD))).toEqual({ id: 1, op: 'c', source })
    expect(schema.parse(codec(change('d', null, null), RECORD))).toEqual({ op: 'd', source })
    expect(() => shapeOfChange(row)).toThrow('no row')
  })
})
