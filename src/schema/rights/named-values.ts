import type { Filter, FilterField } from '../../streams/filter/filter.ts'

/** Kinds whose equality is that of bounds: the same text. */
const COMPARABLE: ReadonlySet<FilterField['kind']> = new Set(['text', 'id', 'enum'])

/** Whether a value of an event, or of an argument, is none of a bound's. Bounds are text; numbers are compared as text. */
export function isOutside(values: ReadonlySet<string>, value: unknown): boolean {
  const text = textOf(value)
  return text === undefined || !values.has(text)
}

/**
 * Whether a filter asks for a value of a property that is outside of a bound: by equality, where it is not negated. What
 * is excluded by name is the client's own business: it learns nothing of it.
 */
export function namesOutside(
  filter: Filter,
  property: string,
  values: ReadonlySet<string>,
  isNegated = false,
): boolean {
  switch (filter.kind) {
    case 'not':
      return namesOutside(filter.of, property, values, !isNegated)
    case 'all':
    case 'any':
      return filter.of.some((one) => namesOutside(one, property, values, isNegated))
    case 'in':
      if (isNegated || !isOf(filter.field, property)) return false
      return filter.values.some((value) => value !== null && value !== undefined && isOutside(values, value))
    default:
      return false
  }
}

/** The values of a property of which a filter demands one; undefined: it does not. */
export function wantedValues(filter: Filter, property: string): ReadonlySet<string> | undefined {
  if (filter.kind === 'all') {
    const lists = filter.of.flatMap((one) => wantedValues(one, property) ?? [])
    return lists.length === 0 ? undefined : lists.reduce((a, b) => new Set(a).intersection(b))
  }
  if (filter.kind !== 'in' || !isOf(filter.field, property) || !COMPARABLE.has(filter.field.kind)) return undefined
  return new Set(filter.values.flatMap((value) => textOf(value) ?? []))
}

/** The argument that has one of these values, at any depth; undefined: none, they are the definition's. */
export function argumentWith(args: Readonly<Record<string, unknown>>, values: readonly unknown[]): string | undefined {
  const texts = new Set(values.map(textOf))
  return Object.keys(args).find((name) => hasAny(args[name], texts))
}

/** Arguments are nested as deeply as documents and variables may be. */
function hasAny(value: unknown, texts: ReadonlySet<string | undefined>): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some((inner) => hasAny(inner, texts))
  const text = textOf(value)
  return text !== undefined && texts.has(text)
}

function isOf({ properties, isList }: FilterField, property: string): boolean {
  return properties?.length === 1 && properties[0] === property && !isList
}

function textOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
      return undefined
  }
}
