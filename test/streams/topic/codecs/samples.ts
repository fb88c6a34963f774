import fc from 'fast-check'

/** Avro schemas of all types; a value's bytes are made by avsc. Names are unique within a schema. */
export const avroSchemas: fc.Arbitrary<object> = fc.gen().map((g) => {
  let names = 0
  const make = (levels: number): unknown => {
    const kind = g(fc.constantFrom, ...(levels > 0 ? NESTED : []), ...LEAVES)
    switch (kind) {
      case 'record':
        return recordOf(levels)
      case 'array':
        return { type: 'array', items: make(levels - 1) }
      case 'map':
        return { type: 'map', values: make(levels - 1) }
      case 'optional':
        return ['null', notUnion(make(levels - 1))]
      case 'union':
        return ['null', 'string', { type: 'array', items: make(levels - 1) }]
      case 'enum':
        return { type: 'enum', name: `E${names++}`, symbols: ['A', 'B', 'C'] }
      case 'fixed':
        return { type: 'fixed', name: `F${names++}`, size: g(fc.nat, 9) }
      case 'decimal':
        return { type: 'bytes', logicalType: 'decimal', precision: 20, scale: g(fc.nat, 9) }
      default:
        return kind
    }
  }
  const notUnion = (schema: unknown): unknown => (Array.isArray(schema) || schema === 'null' ? 'int' : schema)
  const recordOf = (levels: number): object => ({
    type: 'record',
    name: `R${names++}`,
    fields: Array.from({ length: g(fc.nat, 4) }, (_, index) => ({ name: `f${index}`, type: make(levels - 1) })),
  })
  return recordOf(3)
})
const NESTED = ['record', 'array', 'map', 'optional', 'union', 'record', 'array'] as const
const LEAVES = [
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
  'enum',
  'fixed',
  'decimal',
] as const

/** Definitions of messages, by name and text, whose values protobufjs makes. */
export interface ProtoSample {
  readonly text: string
  readonly fields: readonly ProtoFieldSample[]
}
export interface ProtoFieldSample {
  readonly name: string
  readonly type: string
  readonly rule: '' | 'optional' | 'repeated' | 'map'
}
const SCALARS = ['double', 'float', 'int32', 'uint32', 'sint32', 'fixed32', 'sfixed32', 'int64', 'uint64', 'sint64', 'fixed64', 'sfixed64', 'bool', 'string', 'bytes', 'State', 'Inner'] as const // biome-ignore format: one line

export const protoSamples: fc.Arbitrary<ProtoSample> = fc
  .array(fc.record({ type: fc.constantFrom(...SCALARS), rule: fc.constantFrom('', 'optional', 'repeated', 'map') }), {
    minLength: 1,
    maxLength: 8,
  })
  .map((made) => {
    const fields = made.map(({ type, rule }, index) => ({ name: `f_${index}`, type, rule: rule as '' }))
    const lines = fields.map(({ name, type, rule }: ProtoFieldSample, index) =>
      rule === 'map' ? `map<string, ${type}> ${name} = ${index + 1};` : `${rule} ${type} ${name} = ${index + 1};`,
    )
    const text = `syntax = "proto3"; package p; enum State { ZERO = 0; ONE = 1; }
message Main { ${lines.join(' ')} } message Inner { int32 n = 1; optional string s = 2; Inner next = 3; }`
    return { text, fields }
  })
