import type { z } from 'zod'

/**
 * Which values of a schema have a property: `all`, `some` (not every option of a union), or `none`. `unknown`: the
 * schema cannot be inspected.
 */
type Presence = 'all' | 'some' | 'none' | 'unknown'

/** Depth limit of nested schemas: a lazy one may contain itself. */
const MAX_LEVELS = 50

/** @throws TypeError if not every value of the schema has the property: it would be looked up in vain. */
export function demandProperty(
  topic: string,
  what: 'indexed' | 'ordered' | 'keyed',
  schema: z.core.$ZodType,
  property: string,
): void {
  const presence = presenceIn(schema, property)
  if (presence === 'all' || presence === 'unknown') return
  const reason = presence === 'none' ? 'its schema has no such' : 'not every option of its schema has this'
  throw new TypeError(`The topic "${topic}" cannot be ${what} by "${property}": ${reason} property`)
}

/**
 * Looks for a property in the output of a schema: in objects, unions, intersections, and what is wrapped around these.
 * What a transform, a custom schema or a record returns is not declared. Options that are null or undefined are left out:
 * an event without a value has no property.
 */
function presenceIn(schema: z.core.$ZodType, property: string, levels = MAX_LEVELS): Presence {
  if (levels === 0) return 'unknown'
  try {
    return lookIn(schema, property, (inner) => presenceIn(inner, property, levels - 1))
  } catch {
    // It refers to a schema that is defined later.
    return 'unknown'
  }
}

function lookIn(schema: z.core.$ZodType, property: string, inner: (schema: z.core.$ZodType) => Presence): Presence {
  const { def } = (schema as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'object':
      if (Object.hasOwn(def.shape, property)) return 'all'
      return isOpen(def.catchall) ? 'unknown' : 'none'
    case 'union':
      return inEvery(def.options.filter((option) => !isEmpty(option)).map(inner))
    case 'intersection':
      return inEither(inner(def.left), inner(def.right))
    case 'optional':
    case 'nullable':
    case 'nonoptional':
    case 'default':
    case 'prefault':
    case 'catch':
    case 'readonly':
      return inner(def.innerType)
    case 'pipe':
      return inner(def.out)
    case 'lazy':
      return inner(def.getter())
    default:
      return 'unknown'
  }
}

function inEvery(options: readonly Presence[]): Presence {
  if (options.every((each) => each === 'none')) return 'none'
  if (options.includes('none') || options.includes('some')) return 'some'
  return options.includes('unknown') ? 'unknown' : 'all'
}

function inEither(left: Presence, right: Presence): Presence {
  const order: readonly Presence[] = ['all', 'unknown', 'some', 'none']
  return order[Math.min(order.indexOf(left), order.indexOf(right))] as Presence
}

/** Properties that are not declared are kept. */
function isOpen(catchall: z.core.$ZodType | undefined): boolean {
  return catchall !== undefined && typeOf(catchall) !== 'never'
}

function isEmpty(schema: z.core.$ZodType): boolean {
  return ['null', 'undefined', 'void', 'never'].includes(typeOf(schema))
}

function typeOf(schema: z.core.$ZodType): string {
  return schema._zod.def.type
}
