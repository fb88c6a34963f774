import { CodecFailure } from '../../codec.ts'
import { decimalText } from '../decimals.ts'
import { finite, type LongOptions, longOf } from '../longs.ts'
import { setOwn } from '../own-property.ts'
import { dateText, instantText, localText, timeOfDayText } from '../times.ts'
import type { AvroNode, FixedNode, Logical, PrimitiveNode, RecordNode } from './avro-node.ts'
import { AvroReader } from './avro-reader.ts'

type Read = (reader: AvroReader) => unknown

/**
 * The decoder of values of a schema, from an offset of their bytes on: plain values, made in one pass. It is compiled
 * once for each schema.
 */
export function avroDecoder(root: AvroNode, options: LongOptions): (bytes: Buffer, at: number) => unknown {
  const read = new Compiler(options).read(root)
  const reader = new AvroReader()
  return (bytes, at) => {
    reader.start(bytes, at)
    const value = read(reader)
    reader.finish()
    return value
  }
}

class Compiler {
  readonly #longs: LongOptions['longs']
  readonly #records = new Map<RecordNode, Read>()

  constructor({ longs }: LongOptions) {
    this.#longs = longs
  }

  read(node: AvroNode): Read {
    switch (node.kind) {
      case 'primitive':
        return this.#primitive(node)
      case 'fixed':
        return fixed(node)
      case 'enum':
        return this.#enum(node.symbols)
      case 'array':
        return arrayOf(this.read(node.items))
      case 'map':
        return mapOf(this.read(node.values))
      case 'union':
        return unionOf(node.branches.map((branch) => this.read(branch)))
      case 'record':
        return this.#record(node)
    }
  }

  #primitive({ type, logical }: PrimitiveNode): Read {
    if (type === 'long') return logical ? timeOf(logical, (reader) => reader.long()) : this.#long()
    if (type === 'int') return logical ? timeOf(logical, (reader) => reader.int()) : (reader) => reader.int()
    if (type === 'bytes') {
      if (logical?.kind !== 'decimal') return (reader) => reader.view(reader.length()).toString('base64')
      return (reader) => decimalText(reader.view(reader.length()), logical.scale)
    }
    return SIMPLE[type]
  }

  #long(): Read {
    const longs = this.#longs
    return (reader) => longOf(reader.long(), longs)
  }

  #enum(symbols: readonly string[]): Read {
    return (reader) => {
      const symbol = symbols[reader.int()]
      if (symbol === undefined) throw new CodecFailure('An enum has an index that its schema does not')
      return symbol
    }
  }

  #record(node: RecordNode): Read {
    const known = this.#records.get(node)
    if (known) return known
    if (node.logical === 'variable-scale-decimal') return variableScaleDecimal
    const names: string[] = []
    const reads: Read[] = []
    const read: Read = (reader) => {
      reader.enter()
      reader.spend(names.length)
      const object: Record<string, unknown> = {}
      for (let index = 0; index < names.length; index++) {
        setOwn(object, names[index] as string, (reads[index] as Read)(reader))
      }
      reader.leave()
      return object
    }
    // Before its fields: one of them may be of the same type.
    this.#records.set(node, read)
    for (const field of node.fields) {
      names.push(field.name)
      reads.push(this.read(field.node))
    }
    return read
  }
}

const SIMPLE: Readonly<Record<'null' | 'boolean' | 'float' | 'double' | 'string', Read>> = {
  null: () => null,
  boolean: (reader) => reader.boolean(),
  float: (reader) => finite(reader.float()),
  double: (reader) => finite(reader.double()),
  string: (reader) => reader.text(),
}

function timeOf(logical: Logical, read: (reader: AvroReader) => number | bigint): Read {
  switch (logical.kind) {
    case 'instant':
      return (reader) => instantText(read(reader), logical.unit)
    case 'local':
      return (reader) => localText(read(reader), logical.unit)
    case 'time':
      return (reader) => timeOfDayText(read(reader), logical.unit)
    default:
      return (reader) => dateText(Number(read(reader)))
  }
}

function fixed({ size, logical }: FixedNode): Read {
  if (logical?.kind === 'decimal') return (reader) => decimalText(reader.view(size), logical.scale)
  if (logical?.kind !== 'uuid') return (reader) => reader.view(size).toString('base64')
  return (reader) => {
    const hex = reader.view(size).toString('hex')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  }
}

/** A record of a scale and an unscaled value, as Debezium has numbers whose columns have no scale. */
const variableScaleDecimal: Read = (reader) => {
  const scale = reader.int()
  return decimalText(reader.view(reader.length()), scale)
}

function arrayOf(read: Read): Read {
  return (reader) => {
    const items: unknown[] = []
    for (let count = reader.count(); count > 0; count = reader.count()) {
      for (let index = 0; index < count; index++) items.push(read(reader))
    }
    return items
  }
}

function mapOf(read: Read): Read {
  return (reader) => {
    const object: Record<string, unknown> = {}
    for (let count = reader.count(); count > 0; count = reader.count()) {
      for (let index = 0; index < count; index++) {
        const key = reader.text()
        setOwn(object, key, read(reader))
      }
    }
    return object
  }
}

function unionOf(branches: readonly Read[]): Read {
  return (reader) => {
    const read = branches[reader.int()]
    if (read === undefined) throw new CodecFailure('A union has a branch that its schema does not')
    return read(reader)
  }
}
