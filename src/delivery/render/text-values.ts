import {
  defaultTypeResolver,
  type GraphQLAbstractType,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
} from 'graphql'
import { jsonLine, oneLine } from '../../protocol/json-line.ts'

/** Thrown where compiled code stops and graphql-js continues. */
export const REFUSED = Symbol('refused')

export function refuse(): never {
  throw REFUSED
}

/**
 * Characters that JSON escapes, surrogates, which it escapes where they are unpaired, and what is a line break to some
 * readers of lines.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ESCAPED = /[\0-\x1f"\\\u0085\u2028\u2029\ud800-\udfff]/

/** As `jsonLine`, with a fast path for strings without escapes: most of them. */
export function quote(text: string): string {
  return ESCAPED.test(text) ? jsonLine(text) : `"${text}"`
}

/** The JSON of any leaf, by its type. */
export function leaf(type: GraphQLLeafType, value: unknown): string {
  if (typeof value === 'function' || (typeof value === 'object' && !isObject(value))) throw REFUSED
  return custom(type, value)
}

/** The JSON of a custom leaf. Exceptions of a scalar are left to graphql-js. */
export function custom(type: GraphQLLeafType, value: unknown): string {
  let text: string | undefined
  try {
    const coerced = type.coerceOutputValue(value)
    text = typeof coerced === 'string' ? quote(coerced) : jsonOf(coerced)
  } catch {
    throw REFUSED
  }
  if (text === undefined || text === 'null') throw REFUSED
  return text
}

/** Undefined for what is no value of JSON. */
function jsonOf(value: unknown): string | undefined {
  const json: string | undefined = JSON.stringify(value)
  return json && oneLine(json)
}

export function isObject(value: unknown): boolean {
  return typeof value === 'object' && !(value instanceof Error) && !isPromise(value)
}

/** Whether an array can be read by index with the same result as by its iterator, which graphql-js uses. */
export function isPlainArray(value: unknown): boolean {
  return Array.isArray(value) && value[Symbol.iterator] === Array.prototype[Symbol.iterator]
}

function isPromise(value: unknown): boolean {
  return typeof (value as PromiseLike<unknown> | null)?.then === 'function'
}

type Typed = readonly [value: unknown, context: unknown, info: GraphQLResolveInfo]

/** The object type of an abstract type's value, as graphql-js resolves it. Any other case is left to graphql-js. */
export function typeOf(type: GraphQLAbstractType, ...[value, context, info]: Typed): unknown {
  try {
    const resolve = type.resolveType ?? defaultTypeResolver
    return withoutPromise(resolve(value, context, info, type))
  } catch {
    throw REFUSED
  }
}

/** Whether `isTypeOf` synchronously accepts a value. */
export function isOfType(type: GraphQLObjectType, ...[value, context, info]: Typed): boolean {
  try {
    return withoutPromise(type.isTypeOf?.(value, context, info)) === true
  } catch {
    throw REFUSED
  }
}

/** graphql-js calls it again: the rejection of this promise is ignored. */
function withoutPromise(value: unknown): unknown {
  if (isPromise(value)) (value as PromiseLike<unknown>).then(undefined, () => {})
  return value
}
