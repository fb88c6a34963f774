import { createRequire } from 'node:module'
import type avsc from 'avsc'
import { logicalOf, VARIABLE_SCALE_DECIMAL } from './avro-logical.ts'
import { type AvroNode, PRIMITIVES, type PrimitiveName, type RecordNode } from './avro-node.ts'
import { fingerprintOf } from './fingerprint.ts'

/** Depth limit of a schema: walks of it are recursive. */
const MAX_LEVELS = 200

export interface AvroSchema {
  readonly root: AvroNode
  /** CRC-64-AVRO of its canonical form, as single-object encoding has it: little-endian. */
  readonly fingerprint: Buffer
}

let loaded: typeof avsc | undefined

/** At first use: it generates code as it is loaded, and processes without Avro may not be allowed to. */
function loadAvsc(): typeof avsc {
  loaded ??= createRequire(import.meta.url)('avsc') as typeof avsc
  return loaded
}

/**
 * Parses the text of an Avro schema, after those that it refers to by name. It is avsc that judges it.
 * @throws Error that says what is wrong with it.
 */
export function parseAvro(text: string, references: readonly string[] = []): AvroSchema {
  const names = new Names()
  const known: Record<string, avsc.Type> = {}
  let last: { readonly node: AvroNode; readonly type: avsc.Type } | undefined
  for (const each of [...references, text]) {
    const schema = schemaIn(each)
    demandShallow(schema, MAX_LEVELS)
    const type = loadAvsc().Type.forSchema(schema as avsc.Schema, { registry: known, wrapUnions: true })
    last = { node: names.parse(schema, undefined), type }
  }
  const { node, type } = last as NonNullable<typeof last>
  return { root: node, fingerprint: fingerprintOf(JSON.stringify(type.schema())) }
}

/** Some tools write the name of a primitive type without quotes. */
function schemaIn(text: string): unknown {
  const trimmed = text.trim()
  return PRIMITIVES.has(trimmed) ? trimmed : JSON.parse(trimmed)
}

function demandShallow(schema: unknown, levels: number): void {
  if (typeof schema !== 'object' || schema === null) return
  if (levels === 0) throw new Error(`It is nested deeper than ${MAX_LEVELS} levels`)
  for (const each of Object.values(schema)) demandShallow(each, levels - 1)
}

type Definition = Readonly<Record<string, unknown>>

/** Resolves names, by the specification: a name without dots is in the namespace around it. */
class Names {
  readonly #known = new Map<string, AvroNode>()

  parse(schema: unknown, namespace: string | undefined): AvroNode {
    if (typeof schema === 'string') return this.#named(schema, namespace)
    if (Array.isArray(schema)) {
      return { kind: 'union', branches: schema.map((each) => this.parse(each, namespace)) }
    }
    const definition = schema as Definition
    const { type } = definition
    if (typeof type !== 'string') return this.parse(type, namespace)
    switch (type) {
      case 'array':
        return { kind: 'array', items: this.parse(definition.items, namespace) }
      case 'map':
        return { kind: 'map', values: this.parse(definition.values, namespace) }
      case 'enum':
        return this.#define(definition, namespace, () => ({
          kind: 'enum',
          symbols: definition.symbols as readonly string[],
        }))
      case 'fixed':
        return this.#define(definition, namespace, () => ({
          kind: 'fixed',
          size: definition.size as number,
          logical: logicalOf('fixed', definition),
        }))
      case 'record':
      case 'error':
        return this.#record(definition, namespace)
      default:
        if (!PRIMITIVES.has(type)) return this.#named(type, namespace)
        return { kind: 'primitive', type: type as PrimitiveName, logical: logicalOf(type, definition) }
    }
  }

  #named(name: string, namespace: string | undefined): AvroNode {
    if (PRIMITIVES.has(name)) return { kind: 'primitive', type: name as PrimitiveName, logical: undefined }
    const known = this.#known.get(fullName(name, namespace)) ?? this.#known.get(name)
    if (!known) throw new Error(`The type ${name} is not defined`)
    return known
  }

  #define(definition: Definition, namespace: string | undefined, make: () => AvroNode): AvroNode {
    const node = make()
    this.#known.set(this.#nameOf(definition, namespace), node)
    return node
  }

  #record(definition: Definition, namespace: string | undefined): RecordNode {
    const name = this.#nameOf(definition, namespace)
    const logical = definition['connect.name'] === VARIABLE_SCALE_DECIMAL ? 'variable-scale-decimal' : undefined
    const node: RecordNode = { kind: 'record', name, doc: textOf(definition.doc), fields: [], logical }
    this.#known.set(name, node)
    const inner = name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : undefined
    for (const field of definition.fields as readonly Definition[]) {
      node.fields.push({
        name: field.name as string,
        node: this.parse(field.type, inner),
        hasDefault: Object.hasOwn(field, 'default'),
        doc: textOf(field.doc),
      })
    }
    return node
  }

  #nameOf({ name, namespace: own }: Definition, namespace: string | undefined): string {
    return fullName(name as string, own === undefined ? namespace : String(own))
  }
}

function fullName(name: string, namespace: string | undefined): string {
  if (name.startsWith('.')) return name.slice(1)
  return name.includes('.') || !namespace ? name : `${namespace}.${name}`
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
