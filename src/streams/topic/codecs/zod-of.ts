import { z } from 'zod'
import type { Field, ObjectShape, Shape } from '../shape.ts'

/** Decimal text, as codecs and the scalar `Decimal` have it: no exponent. */
const DECIMAL = /^-?\d+(\.\d+)?$/
const LONG = /^-?\d{1,20}$/

/** The zod schema of a shape, for `defineTopic`: every value of the shape passes it. */
export function zodOf(shape: Shape): z.ZodType {
  switch (shape.kind) {
    case 'object':
      return objectOf(shape)
    case 'list':
      return z.array(itemOf(shape.of))
    case 'map':
      return z.record(z.string(), itemOf(shape.of))
    case 'union':
      return unionOf(shape.by, [...shape.of])
    case 'enum':
      return z.enum(shape.values as [string, ...string[]])
    case 'text':
      return z.string()
    case 'boolean':
      return z.boolean()
    case 'int':
      return z.int32()
    case 'long':
      return shape.as === 'number' ? z.int() : z.string().regex(LONG)
    case 'float':
      return z.number()
    case 'decimal':
      return shape.as === 'number' ? z.number() : z.string().regex(DECIMAL)
    case 'time':
      return shape.as === 'text' ? z.iso.datetime({ offset: true }) : z.int()
    case 'date':
      return z.iso.date()
    case 'bytes':
      return z.base64()
    case 'unknown':
      return z.unknown()
  }
}

function objectOf({ fields }: ObjectShape, more: Readonly<Record<string, z.ZodType>> = {}): z.ZodObject {
  const own = [...fields].map(([name, field]) => [name, fieldOf(field)] as const)
  return z.object({ ...Object.fromEntries(own), ...more })
}

function unionOf(by: string, of: readonly (readonly [string, ObjectShape])[]): z.ZodType {
  const options = of.map(([value, shape]) => objectOf(shape, { [by]: z.literal(value) }))
  return options.length === 1 ? (options[0] as z.ZodType) : z.discriminatedUnion(by, options as never)
}

function fieldOf(field: Field): z.ZodType {
  const schema = itemOf(field)
  return field.isOptional ? schema.optional() : schema
}

/** There is no absent item of a list. */
function itemOf({ shape, isNullable }: Field): z.ZodType {
  const schema = zodOf(shape)
  return isNullable && shape.kind !== 'unknown' ? schema.nullable() : schema
}
