import {
  defaultTypeResolver,
  type GraphQLAbstractType,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
} from 'graphql'

/** Thrown where compiled code stops, and leaves the event to graphql-js. */
export const REFUSED = Symbol('refused')

export function refuse(): never {
  throw REFUSED
}

/** What JSON has to escape, and halves of pairs, which it escapes where they are alone. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ESCAPED = /[\0-\x1f"\\\ud800-\udfff]/

/** As JSON.stringify, of which most strings need nothing but the quotes. */
export function quote(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`
}

/** The JSON of any leaf, by its type. */
export function leaf(type: GraphQLLeafType, value: unknown): string {
  if (typeof value === 'function' || (typeof value === 'object' && !isObject(value))) throw REFUSED
  return custom(type, value)
}

/** The JSON of what a type makes of a value. What a scalar throws, graphql-js is to find for itself. */
export function custom(type: GraphQLLeafType, value: unknown): string {
  let text: string | undefined
  try {
    const coerced = type.coerceOutputValue(value)
    text = typeof coerced === 'string' ? quote(coerced) : JSON.stringify(coerced)
  } catch {
    throw REFUSED
  }
  if (text === undefined || text === 'null') throw REFUSED
  return text
}

export function isObject(value: unknown): boolean {
  return typeof value === 'object' && !(value instanceof Error) && !isPromise(value)
}

/** What graphql-js reads by its iterator is read by its indexes only where that is the same. */
export function isPlainArray(value: unknown): boolean {
  return Array.isArray(value) && value[Symbol.iterator] === Array.prototype[Symbol.iterator]
}

function isPromise(value: unknown): boolean {
  return typeof (value as PromiseLike<unknown> | null)?.then === 'function'
}

type Typed = readonly [value: unknown, context: unknown, info: GraphQLResolveInfo]

/** The name of an abstract type's type, as graphql-js finds it; anything else is left to that. */
export function typeOf(type: GraphQLAbstractType, ...[value, context, info]: Typed): unknown {
  try {
    const resolve = type.resolveType ?? defaultTypeResolver
    return withoutPromise(resolve(value, context, info, type))
  } catch {
    throw REFUSED
  }
}

/** Whether an object type says at once that a value is its own. */
export function isOfType(type: GraphQLObjectType, ...[value, context, info]: Typed): boolean {
  try {
    return withoutPromise(type.isTypeOf?.(value, context, info)) === true
  } catch {
    throw REFUSED
  }
}

/** graphql-js asks again; nobody is going to look at this promise. */
function withoutPromise(value: unknown): unknown {
  if (isPromise(value)) (value as PromiseLike<unknown>).then(undefined, () => {})
  return value
}
