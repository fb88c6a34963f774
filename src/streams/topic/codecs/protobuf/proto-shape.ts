import protobuf from 'protobufjs'
import type { Field, Shape } from '../../shape.ts'
import { RECURSIVE, required, uncertain } from '../fields.ts'
import type { LongOptions } from '../longs.ts'
import { type ProtoFile, parseProto } from './proto-schema.ts'
import { NULL_VALUE } from './well-known.ts'

export interface ProtobufShapeOptions extends LongOptions {
  readonly imports?: readonly ProtoFile[] | undefined
}

/** The shape of what a Protobuf codec makes of a message; by default the first of the definition. */
export function shapeOfProtobuf(text: string, message?: string, options: ProtobufShapeOptions = {}): Shape {
  const schema = parseProto(text, options.imports)
  const type = message === undefined ? schema.messageAt([0]) : schema.message(message)
  if (!type) throw new Error('The definition has no message')
  return new Shapes(options.longs).message(type, []).shape
}

/** Well-known messages, which become something else than their fields. */
const WELL_KNOWN: Readonly<Record<string, Field>> = {
  '.google.protobuf.Timestamp': required({ kind: 'time', as: 'text' }),
  '.google.protobuf.Duration': required({ kind: 'text' }),
  '.google.protobuf.Struct': required({ kind: 'map', of: uncertain('It is any JSON') }),
  '.google.protobuf.ListValue': required({ kind: 'list', of: uncertain('It is any JSON') }),
  '.google.protobuf.Value': uncertain('It is any JSON'),
  '.confluent.type.Decimal': required({ kind: 'decimal', as: 'text' }),
}
const WRAPPER = /^\.google\.protobuf\.(Double|Float|Int64|UInt64|Int32|UInt32|Bool|String|Bytes)Value$/

class Shapes {
  readonly #longs: 'number' | 'text'

  constructor(longs: LongOptions['longs'] = 'number') {
    this.#longs = longs
  }

  /** `within`: the messages around it. */
  message(type: protobuf.Type, within: readonly protobuf.Type[]): Field {
    const wrapped = WRAPPER.exec(type.fullName)?.[1]
    if (wrapped !== undefined) return required(this.#scalar(wrapped.toLowerCase()))
    const known = Object.hasOwn(WELL_KNOWN, type.fullName) ? WELL_KNOWN[type.fullName] : undefined
    if (known) return known
    if (within.includes(type)) return uncertain(RECURSIVE)
    const inner = [...within, type]
    const fields = type.fieldsArray.map((field): [string, Field] => [field.name, this.#field(field.resolve(), inner)])
    return required({ kind: 'object', fields: new Map(fields), name: type.name })
  }

  #field(field: protobuf.Field, within: readonly protobuf.Type[]): Field {
    const of = this.#value(field, within)
    const described = field.comment ? { description: field.comment } : {}
    if (field instanceof protobuf.MapField) return { ...required({ kind: 'map', of }), ...described }
    if (field.repeated) return { ...required({ kind: 'list', of }), ...described }
    // protobufjs says so of scalars only.
    const hasPresence = field.hasPresence || field.resolvedType instanceof protobuf.Type
    return { ...of, isOptional: hasPresence && !field.required, ...described }
  }

  #value({ type, resolvedType }: protobuf.Field, within: readonly protobuf.Type[]): Field {
    if (resolvedType instanceof protobuf.Type) return this.message(resolvedType, within)
    if (!(resolvedType instanceof protobuf.Enum)) return required(this.#scalar(type))
    if (resolvedType.fullName === NULL_VALUE) return uncertain('It is always null')
    // Two names may stand for one number: the first is what it is decoded to.
    const values = Object.values(resolvedType.valuesById) as string[]
    return required({ kind: 'enum', values: [...new Set(values)] })
  }

  #scalar(type: string): Shape {
    switch (type) {
      case 'bool':
        return { kind: 'boolean' }
      case 'string':
        return { kind: 'text' }
      case 'bytes':
        return { kind: 'bytes' }
      case 'float':
      case 'double':
        return { kind: 'float' }
      case 'int32':
      case 'sint32':
      case 'sfixed32':
        return { kind: 'int' }
      case 'uint32':
      case 'fixed32':
        return { kind: 'long', as: 'number' }
      default:
        return { kind: 'long', as: this.#longs }
    }
  }
}
