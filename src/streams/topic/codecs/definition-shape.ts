import type { Shape } from '../shape.ts'
import { shapeOfAvro } from './avro/avro-shape.ts'
import { shapeOfJsonSchema } from './json-schema/json-schema-shape.ts'
import type { LongOptions } from './longs.ts'
import { shapeOfProtobuf } from './protobuf/proto-shape.ts'
import type { Definition } from './registry/definition.ts'

export interface DefinitionShapeOptions extends LongOptions {
  /** Of Protobuf: the name of the message; by default the first of the definition. */
  readonly message?: string | undefined
}

/** The shape of what `registryCodec` makes of values of a definition. @throws Error for one that cannot be read. */
export function shapeOfDefinition({ type, text, references }: Definition, options: DefinitionShapeOptions = {}): Shape {
  if (type === 'PROTOBUF') return shapeOfProtobuf(text, options.message, { imports: references, longs: options.longs })
  const texts = references.map((each) => each.text)
  return type === 'AVRO' ? shapeOfAvro(text, { references: texts, longs: options.longs }) : shapeOfJsonSchema(text)
}
