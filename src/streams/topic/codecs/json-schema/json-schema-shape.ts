import type { Field, ObjectShape, Shape } from '../../shape.ts'
import { RECURSIVE, required, uncertain } from '../fields.ts'

type Schema = Readonly<Record<string, unknown>>

/** Depth limit: what is deeper is JSON. */
const MAX_LEVELS = 32

/**
 * The shape of values that a JSON Schema describes, as far as it says one: what it only forbids, computes or leaves open
 * is JSON, with a doubt. References within the schema are followed.
 * @throws Error for text that is no JSON Schema.
 */
export function shapeOfJsonSchema(text: string): Shape {
  const root: unknown = JSON.parse(text)
  if (typeof root !== 'boolean' && !isSchema(root)) throw new Error('It is neither an object nor a boolean')
  return new Shapes(root).field(root, [], MAX_LEVELS).shape
}

class Shapes {
  readonly #root: unknown

  constructor(root: unknown) {
    this.#root = root
  }

  /** `within`: the schemas around it. */
  field(given: unknown, within: readonly unknown[], levels: number): Field {
    const schema = this.#follow(given)
    if (!isSchema(schema)) return uncertain('Its schema allows anything, or cannot be followed')
    if (within.includes(schema)) return uncertain(RECURSIVE)
    if (levels === 0) return uncertain(`It is nested deeper than ${MAX_LEVELS} levels`)
    const inner = (each: unknown): Field => this.field(each, [...within, schema], levels - 1)
    const field = this.#shape(schema, inner)
    const { title, description = title } = schema
    return typeof description === 'string' && description !== '' ? { ...field, description } : field
  }

  #shape(schema: Schema, inner: (schema: unknown) => Field): Field {
    const options = schema.oneOf ?? schema.anyOf
    if (Array.isArray(options)) return this.#options(options, schema, inner)
    if (Array.isArray(schema.allOf))
      return merged(
        schema,
        schema.allOf.map((each) => this.#follow(each)),
        inner,
      )
    const values = schema.const === undefined ? schema.enum : [schema.const]
    if (Array.isArray(values)) return literals(values)
    const types = [schema.type].flat()
    const isNullable = types.includes('null') || schema.nullable === true
    const [type, ...others] = types.filter((each) => each !== 'null')
    if (others.length > 0) return uncertain('It has one of several types: it is JSON')
    const field = typed(type, schema, inner)
    return isNullable ? { ...field, isNullable } : field
  }

  #options(options: readonly unknown[], schema: Schema, inner: (schema: unknown) => Field): Field {
    const followed = options.map((each) => this.#follow(each))
    const others = followed.filter((each) => !isNullSchema(each))
    if (others.length !== 1 || isSchema(schema.properties)) {
      return uncertain('It has one of several types, which nothing in its schema tells apart: it is JSON')
    }
    return { ...inner(others[0]), isNullable: others.length < followed.length }
  }

  /** What a `$ref` within this document refers to; undefined where it refers to elsewhere, or to nothing. */
  #follow(schema: unknown): unknown {
    let at = schema
    for (let step = 0; step < MAX_LEVELS; step++) {
      if (!isSchema(at) || typeof at.$ref !== 'string') return at
      const { $ref } = at
      if ($ref !== '#' && !$ref.startsWith('#/')) return undefined
      at = $ref
        .split('/')
        .slice(1)
        .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
        .reduce<unknown>((value, part) => (isOwn(value, part) ? value[part] : undefined), this.#root)
    }
    return undefined
  }
}

function typed(type: unknown, schema: Schema, inner: (schema: unknown) => Field): Field {
  switch (type) {
    case 'object':
      return objectOf(schema, inner)
    case 'array':
      return required({ kind: 'list', of: inner(schema.items ?? true) })
    case 'boolean':
      return required({ kind: 'boolean' })
    case 'integer':
      return required(isInt(schema) ? { kind: 'int' } : { kind: 'long', as: 'number' })
    case 'number':
      return required({ kind: 'float' })
    case 'string':
      return required(textOf(schema))
    default:
      return isSchema(schema.properties) ? objectOf(schema, inner) : uncertain('Its schema names no type')
  }
}

function objectOf(schema: Schema, inner: (schema: unknown) => Field): Field {
  const { properties, additionalProperties, title } = schema
  if (!isSchema(properties)) {
    const of = inner(isSchema(additionalProperties) ? additionalProperties : true)
    return required({ kind: 'map', of })
  }
  const names = new Set(Array.isArray(schema.required) ? schema.required : [])
  const fields = Object.entries(properties).map(([name, each]): [string, Field] => [
    name,
    { ...inner(each), isOptional: !names.has(name) },
  ])
  const shape: ObjectShape = { kind: 'object', fields: new Map(fields) }
  return required(typeof title === 'string' ? { ...shape, name: title } : shape)
}

/** Objects that all hold are one object; of what else they are, nothing is said. */
function merged(schema: Schema, parts: readonly unknown[], inner: (schema: unknown) => Field): Field {
  const shapes = [{ ...schema, allOf: undefined }, ...parts]
    .filter((each) => isSchema(each) && (isSchema(each.properties) || isSchema(each.$ref) || each.type !== undefined))
    .map((each) => inner(each).shape)
  if (shapes.length === 0 || !shapes.every((each) => each.kind === 'object')) {
    return shapes.length === 1 ? required(shapes[0] as Shape) : uncertain('Several schemas hold for it: it is JSON')
  }
  const fields = new Map<string, Field>()
  for (const shape of shapes) {
    for (const [name, field] of shape.fields) {
      const known = fields.get(name)
      fields.set(name, known ? { ...field, isOptional: known.isOptional && field.isOptional } : field)
    }
  }
  return required({ kind: 'object', fields })
}

function literals(values: readonly unknown[]): Field {
  const isNullable = values.includes(null)
  const texts = values.filter((value) => value !== null)
  if (texts.length > 0 && texts.every((value) => typeof value === 'string')) {
    return { ...required({ kind: 'enum', values: [...new Set(texts)] }), isNullable }
  }
  return uncertain('It is one of some values that are not all text: it is JSON')
}

function textOf({ format, contentEncoding }: Schema): Shape {
  if (format === 'date-time') return { kind: 'time', as: 'text' }
  if (format === 'date') return { kind: 'date' }
  return contentEncoding === 'base64' ? { kind: 'bytes' } : { kind: 'text' }
}

/** Its bounds are within 32 bits. */
function isInt({ minimum, maximum, format }: Schema): boolean {
  if (format === 'int32') return true
  return typeof minimum === 'number' && typeof maximum === 'number' && minimum >= -(2 ** 31) && maximum < 2 ** 31
}

function isNullSchema(schema: unknown): boolean {
  return isSchema(schema) && (schema.type === 'null' || schema.const === null)
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isOwn(value: unknown, name: string): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
}
