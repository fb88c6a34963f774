import type { Field, ObjectShape, Shape } from '../../shape.ts'
import { RECURSIVE, required, uncertain } from '../fields.ts'
import type { LongOptions } from '../longs.ts'
import type { AvroNode, FixedNode, Logical, PrimitiveNode, RecordNode } from './avro-node.ts'
import { parseAvro } from './avro-schema.ts'

export interface AvroShapeOptions extends LongOptions {
  /** Texts of the schemas that it refers to. */
  readonly references?: readonly string[] | undefined
}

/** The shape of what an Avro codec makes of values of this schema. @throws Error for a schema that is none. */
export function shapeOfAvro(text: string, { references, longs }: AvroShapeOptions = {}): Shape {
  return new Shapes(longs).field(parseAvro(text, references).root, []).shape
}

class Shapes {
  readonly #longs: LongOptions['longs']

  constructor(longs: LongOptions['longs']) {
    this.#longs = longs
  }

  /** `within`: the records around it. */
  field(node: AvroNode, within: readonly RecordNode[]): Field {
    switch (node.kind) {
      case 'primitive':
        return node.type === 'null' ? nothing() : required(this.#primitive(node))
      case 'fixed':
        return required(fixed(node))
      case 'enum':
        return required({ kind: 'enum', values: node.symbols })
      case 'array':
        return required({ kind: 'list', of: this.field(node.items, within) })
      case 'map':
        return required({ kind: 'map', of: this.field(node.values, within) })
      case 'union':
        return this.#union(node.branches, within)
      case 'record':
        return this.#record(node, within)
    }
  }

  #primitive({ type, logical }: PrimitiveNode): Shape {
    switch (type) {
      case 'boolean':
        return { kind: 'boolean' }
      case 'float':
      case 'double':
        return { kind: 'float' }
      case 'int':
        return logical ? time(logical) : { kind: 'int' }
      case 'long':
        return logical ? time(logical) : { kind: 'long', as: this.#longs ?? 'number' }
      case 'bytes':
        return logical ? { kind: 'decimal', as: 'text' } : { kind: 'bytes' }
      default:
        return { kind: 'text' }
    }
  }

  #record(node: RecordNode, within: readonly RecordNode[]): Field {
    if (node.logical === 'variable-scale-decimal') return required({ kind: 'decimal', as: 'text' })
    if (within.includes(node)) return uncertain(RECURSIVE)
    const inner = [...within, node]
    const fields = node.fields.map(({ name, node, hasDefault, doc }): [string, Field] => {
      const field = this.field(node, inner)
      const description = doc === undefined ? {} : { description: doc }
      // Records that were written before the field was added do not have it: a default is what it may be added with.
      return [name, { ...field, isOptional: hasDefault, ...description }]
    })
    const shape: ObjectShape = { kind: 'object', fields: new Map(fields), name: shortName(node.name) }
    return required(shape)
  }

  #union(branches: readonly AvroNode[], within: readonly RecordNode[]): Field {
    const isNullable = branches.some(isNull)
    const [one, ...others] = branches.filter((branch) => !isNull(branch)).map((branch) => this.field(branch, within))
    if (one === undefined) return nothing()
    if (others.length === 0) return { ...one, isNullable: isNullable || one.isNullable }
    const kinds = new Set([one, ...others].map(({ shape }) => JSON.stringify(shape)))
    const isSimple = [one, ...others].every(
      ({ shape }) => !('of' in shape || 'fields' in shape || shape.kind === 'unknown'),
    )
    if (kinds.size === 1 && isSimple) return { ...one, isNullable }
    return uncertain('It has one of several types, which nothing in the value tells apart: it is JSON')
  }
}

function isNull(node: AvroNode): boolean {
  return node.kind === 'primitive' && node.type === 'null'
}

function nothing(): Field {
  return uncertain('It is always null')
}

function time(logical: Logical): Shape {
  if (logical.kind === 'instant') return { kind: 'time', as: 'text' }
  return logical.kind === 'date' ? { kind: 'date' } : { kind: 'text' }
}

function fixed({ logical }: FixedNode): Shape {
  if (logical?.kind === 'decimal') return { kind: 'decimal', as: 'text' }
  return logical ? { kind: 'text' } : { kind: 'bytes' }
}

function shortName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}
