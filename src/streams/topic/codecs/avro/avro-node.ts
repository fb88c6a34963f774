/** A parsed Avro schema: names are resolved, and only what decoding and shapes need is kept. */
export type AvroNode = PrimitiveNode | FixedNode | EnumNode | ArrayNode | MapNode | UnionNode | RecordNode

export type PrimitiveName = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string'
export const PRIMITIVES: ReadonlySet<string> = new Set<PrimitiveName>([
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
])

export interface PrimitiveNode {
  readonly kind: 'primitive'
  readonly type: PrimitiveName
  readonly logical: Logical | undefined
}
export interface FixedNode {
  readonly kind: 'fixed'
  readonly size: number
  readonly logical: Logical | undefined
}
export interface EnumNode {
  readonly kind: 'enum'
  readonly symbols: readonly string[]
}
export interface ArrayNode {
  readonly kind: 'array'
  readonly items: AvroNode
}
export interface MapNode {
  readonly kind: 'map'
  readonly values: AvroNode
}
export interface UnionNode {
  readonly kind: 'union'
  readonly branches: readonly AvroNode[]
}
export interface RecordNode {
  readonly kind: 'record'
  /** With its namespace. */
  readonly name: string
  readonly doc: string | undefined
  /** Filled when it is parsed: a field may be of the record's own type. */
  readonly fields: AvroField[]
  /** The logical type of a record, which Connect alone has. */
  readonly logical: 'variable-scale-decimal' | undefined
}
export interface AvroField {
  readonly name: string
  readonly node: AvroNode
  readonly hasDefault: boolean
  readonly doc: string | undefined
}

/** What a value means beyond its type, by Avro's own logical types or the names of Kafka Connect and Debezium. */
export type Logical =
  | { readonly kind: 'decimal'; readonly scale: number }
  | { readonly kind: 'instant' | 'local' | 'time'; readonly unit: 'ms' | 'us' | 'ns' }
  | { readonly kind: 'date' }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'instant-text' }
