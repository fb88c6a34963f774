import type { z } from 'zod'
import type { OrderKind } from './ordered.ts'

/** Depth limit of nested schemas: a lazy one may contain itself. */
const MAX_LEVELS = 50

/**
 * How the values of a property are ordered, by the schema of an event. Undefined: they have no order, not all the same
 * one, or the schema cannot be inspected.
 */
export function kindIn(schema: z.core.$ZodType, property: string): OrderKind | undefined {
  try {
    const schemas = [...propertiesIn(schema, property, MAX_LEVELS)]
    const kinds = new Set(schemas.flatMap((each) => [...kindsOf(each, MAX_LEVELS)]))
    return kinds.size === 1 ? [...kinds][0] : undefined
  } catch {
    // It refers to a schema that is defined later.
    return undefined
  }
}

type Wrapped = { readonly innerType: z.core.$ZodType }

/** What is wrapped in a schema that changes nothing but whether there is a value; undefined for any other schema. */
function innerOf({ _zod: { def } }: z.core.$ZodTypes): z.core.$ZodType | undefined {
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'nonoptional':
    case 'default':
    case 'prefault':
    case 'catch':
    case 'readonly':
      return (def as Wrapped).innerType
    case 'pipe':
      return def.out
    case 'lazy':
      return def.getter()
    default:
      return undefined
  }
}

/** The schemas of a property, in objects, unions, intersections, and what is wrapped around these. */
function* propertiesIn(schema: z.core.$ZodType, property: string, levels: number): Generator<z.core.$ZodType> {
  if (levels === 0) return
  const inner = innerOf(schema as z.core.$ZodTypes)
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (inner) yield* propertiesIn(inner, property, levels - 1)
  else if (def.type === 'object') {
    if (Object.hasOwn(def.shape, property)) yield def.shape[property] as z.core.$ZodType
  } else if (def.type === 'union') {
    for (const option of def.options) yield* propertiesIn(option, property, levels - 1)
  } else if (def.type === 'intersection') {
    yield* propertiesIn(def.left, property, levels - 1)
    yield* propertiesIn(def.right, property, levels - 1)
  }
}

/** The kinds of a schema's values. Null and undefined are none: an event without a value is met by no range. */
function* kindsOf(schema: z.core.$ZodType, levels: number): Generator<OrderKind | undefined> {
  if (levels === 0) return yield undefined
  const inner = innerOf(schema as z.core.$ZodTypes)
  if (inner) return yield* kindsOf(inner, levels - 1)
  const { def } = (schema as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'null':
    case 'undefined':
    case 'void':
    case 'never':
      return
    case 'union':
      for (const option of def.options) yield* kindsOf(option, levels - 1)
      return
    case 'number':
    case 'bigint':
      yield 'number'
      return
    case 'date':
      yield 'instant'
      return
    case 'string':
      yield isDatetime(def) ? 'instant' : 'decimal'
      return
    default:
      // A literal, an enum, an object, or what a transform or a custom schema returns.
      yield undefined
  }
}

/** `z.iso.datetime()`, or a check of `z.string()`. */
function isDatetime({ format, checks }: { readonly format?: unknown; readonly checks?: readonly unknown[] }): boolean {
  const checked = (checks ?? []).map((check) => (check as { _zod?: { def?: { format?: unknown } } })._zod?.def?.format)
  return format === 'datetime' || checked.includes('datetime')
}
