import avsc from 'avsc'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { describe, expect, it } from 'vitest'
import {
  avroCodec,
  CodecFailure,
  protobufCodec,
  shapeOfAvro,
  shapeOfJsonSchema,
  shapeOfProtobuf,
  zodOf,
} from '../../../../src/index.ts'
import { Statistics } from '../../../kit/statistics.ts'
import { RECORD } from './records.ts'
import { avroSchemas, type ProtoFieldSample, protoSamples } from './samples.ts'

const RUNS = process.env.SLUICE_LONG === '1' ? 5_000 : 300

describe('the shape of a definition', () => {
  it('fits every value that the definition allows: Avro', () => {
    const cases = new Statistics('values of Avro schemas', ['decoded', 'as text'])
    fc.assert(
      fc.property(avroSchemas, fc.boolean(), (schema, isText) => {
        const options = isText ? ({ longs: 'text' } as const) : {}
        const text = JSON.stringify(schema)
        const type = avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: true })
        const codec = avroCodec(text, options)
        const fits = zodOf(shapeOfAvro(text, options))
        for (let index = 0; index < 5; index++) {
          const value = decodedOr(() => codec(type.toBuffer(type.random()), RECORD))
          if (value === REFUSED) cases.count('beyond 2^53')
          else expect(fits.safeParse(value)).toMatchObject({ success: true })
          cases.count(isText ? 'as text' : 'decoded')
        }
      }),
      { numRuns: RUNS },
    )
    cases.report()
  })

  it('fits every value that the definition allows: Protobuf', () => {
    const cases = new Statistics('values of Protobuf messages', [
      'decoded',
      'beyond 2^53',
      'as text',
      'absent',
      'nested',
    ])
    fc.assert(
      fc.property(protoSamples, fc.boolean(), fc.gen(), ({ text, fields }, isText, g) => {
        const options = isText ? ({ longs: 'text' } as const) : {}
        const { root } = protobuf.parse(text, { keepCase: true })
        const type = root.lookupType('p.Main')
        const values: Record<string, unknown> = {}
        for (const field of fields) if (g(fc.boolean)) values[field.name] = fieldValue(field, g)
        if (Object.keys(values).length < fields.length) cases.count('absent')
        if (JSON.stringify(values).includes('next')) cases.count('nested')
        const bytes = Buffer.from(type.encode(type.fromObject(values)).finish())
        const value = decodedOr(() => protobufCodec(text, { message: 'Main', ...options })(bytes, RECORD))
        if (value === REFUSED) cases.count('beyond 2^53')
        else expect(zodOf(shapeOfProtobuf(text, 'Main', options)).safeParse(value)).toMatchObject({ success: true })
        cases.count(isText ? 'as text' : 'decoded')
      }),
      { numRuns: RUNS },
    )
    cases.report()
  })

  it('says names, docs, what may be absent or null, and what it cannot say', () => {
    const schema = {
      type: 'record',
      name: 'shop.Order',
      fields: [
        { name: 'id', type: 'string', doc: 'Of the order.' },
        { name: 'note', type: ['null', 'string'], default: null },
        { name: 'either', type: ['string', 'int'] },
        { name: 'parent', type: ['null', 'Order'] },
        { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
        { name: 'amount', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
      ],
    }
    const shape = shapeOfAvro(JSON.stringify(schema))
    if (shape.kind !== 'object') throw new Error('It is an object')
    expect(shape.name).toBe('Order')
    const certain = { isOptional: false, isNullable: false }
    expect(shape.fields.get('id')).toEqual({ shape: { kind: 'text' }, ...certain, description: 'Of the order.' })
    expect(shape.fields.get('note')).toEqual({ shape: { kind: 'text' }, isOptional: true, isNullable: true })
    expect(shape.fields.get('either')).toMatchObject({
      shape: { kind: 'unknown' },
      doubt: expect.stringContaining('several types'),
    })
    expect(shape.fields.get('parent')).toMatchObject({
      shape: { kind: 'unknown' },
      doubt: expect.stringContaining('contain itself'),
    })
    expect(shape.fields.get('at')).toEqual({ shape: { kind: 'time', as: 'text' }, ...certain })
    expect(shape.fields.get('amount')).toEqual({ shape: { kind: 'decimal', as: 'text' }, ...certain })
  })

  it('is that of a JSON Schema, as far as that says one', () => {
    const schema = {
      $defs: {
        money: { type: 'object', required: ['n'], properties: { n: { type: 'string' } } },
        tree: { type: 'object', properties: { next: { $ref: '#/$defs/tree' } } },
      },
      type: 'object',
      title: 'Order',
      required: ['id', 'at', 'lines', 'kind'],
      properties: {
        id: { type: 'integer', description: 'Of it.' },
        small: { type: 'integer', minimum: 0, maximum: 100 },
        at: { type: 'string', format: 'date-time' },
        day: { type: ['string', 'null'], format: 'date' },
        kind: { enum: ['A', 'B'] },
        total: { $ref: '#/$defs/money' },
        maybe: { oneOf: [{ type: 'null' }, { $ref: '#/$defs/money' }] },
        lines: { type: 'array', items: { type: 'number' } },
        labels: { type: 'object', additionalProperties: { type: 'boolean' } },
        both: { allOf: [{ $ref: '#/$defs/money' }, { type: 'object', properties: { m: { type: 'string' } } }] },
        tree: { $ref: '#/$defs/tree' },
        elsewhere: { $ref: 'other.json' },
        any: {},
      },
    }
    const fits = zodOf(shapeOfJsonSchema(JSON.stringify(schema)))
    const value = {
      id: 1,
      small: 3,
      at: '2026-01-01T00:00:00Z',
      day: null,
      kind: 'A',
      total: { n: 'x' },
      maybe: null,
      lines: [1.5],
      labels: { a: true },
      both: { n: 'x', m: 'y' },
      tree: { next: { next: {} } },
      elsewhere: 5,
      any: [],
    }
    expect(fits.parse(value)).toEqual(value)
    expect(fits.parse({ id: 1, at: value.at, kind: 'B', lines: [] })).toEqual({
      id: 1,
      at: value.at,
      kind: 'B',
      lines: [],
    })
    for (const wrong of [
      { id: 1.5 },
      { at: 'x' },
      { kind: 'C' },
      { lines: ['x'] },
      { total: {} },
      { small: 2 ** 40 },
      { both: { m: 'y' } },
    ]) {
      expect(fits.safeParse({ ...value, ...wrong }).success, JSON.stringify(wrong)).toBe(false)
    }
    expect(shapeOfJsonSchema('true')).toEqual({ kind: 'unknown' })
    expect(() => shapeOfJsonSchema('5')).toThrow()
    expect(() => shapeOfJsonSchema('{')).toThrow()
    for (const hostile of [
      '{"$ref":"#"}',
      '{"properties":{"a":{"$ref":"#"}}}',
      '{"allOf":[{"$ref":"#"}]}',
      '{"anyOf":[{"$ref":"#"},{"type":"null"}]}',
    ]) {
      expect(zodOf(shapeOfJsonSchema(hostile)).safeParse({}).success).toBe(true)
    }
  })
})

describe('any bytes', () => {
  it('are decoded or refused as such, whatever the schema', () => {
    const cases = new Statistics('bytes', ['changed', 'any', 'decoded', 'refused'])
    fc.assert(
      fc.property(avroSchemas, protoSamples, fc.uint8Array({ maxLength: 200 }), fc.gen(), (schema, proto, any, g) => {
        const type = avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: true })
        const changed = type.toBuffer(type.random())
        for (let times = 0; times < 3 && changed.length > 0; times++) {
          changed[g(fc.nat, changed.length - 1)] = g(fc.nat, 255)
        }
        const codecs = [avroCodec(JSON.stringify(schema)), protobufCodec(proto.text, { message: 'Main' })]
        for (const [bytes, kind] of [
          [changed, 'changed'],
          [Buffer.from(any), 'any'],
        ] as const) {
          cases.count(kind)
          for (const codec of codecs)
            cases.count(decodedOr(() => codec(bytes, RECORD)) === REFUSED ? 'refused' : 'decoded')
        }
      }),
      { numRuns: RUNS },
    )
    cases.report()
  })
})

const REFUSED = Symbol('refused')

/** Only a refusal may be thrown. */
function decodedOr(decode: () => unknown): unknown {
  try {
    return decode()
  } catch (error) {
    if (error instanceof CodecFailure) return REFUSED
    throw error
  }
}

function fieldValue({ type, rule }: ProtoFieldSample, g: fc.GeneratorValue): unknown {
  if (rule === 'repeated') return Array.from({ length: g(fc.nat, 3) }, () => scalarOf(type, g))
  if (rule === 'map')
    return Object.fromEntries(Array.from({ length: g(fc.nat, 3) }, () => [g(fc.string), scalarOf(type, g)]))
  return scalarOf(type, g)
}

function scalarOf(type: string, g: fc.GeneratorValue): unknown {
  switch (type) {
    case 'bool':
      return g(fc.boolean)
    case 'string':
      return g(fc.string)
    case 'bytes':
      return Buffer.from(g(fc.uint8Array))
    case 'State':
      return g(fc.constantFrom, 0, 1)
    case 'Inner':
      return g(fc.boolean) ? { n: 1, next: { s: 'x' } } : {}
    case 'double':
    case 'float':
      return g(fc.constantFrom, 0, -1.5, 1e30)
    case 'uint32':
    case 'fixed32':
      return g(fc.nat, 2 ** 31 - 1) * 2
    case 'uint64':
    case 'fixed64':
      return g(fc.constantFrom, 0, 5, 2 ** 53, 2 ** 62)
    case 'int64':
    case 'sint64':
    case 'sfixed64':
      return g(fc.constantFrom, 0, -5, 2 ** 52, -(2 ** 60))
    default:
      return g(fc.integer, { min: -(2 ** 31), max: 2 ** 31 - 1 })
  }
}
