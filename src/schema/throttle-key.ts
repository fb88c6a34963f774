import {
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLOutputType,
  getNullableType,
  isLeafType,
  isObjectType,
} from 'graphql'
import { SluiceError } from '../errors/codes.ts'
import type { StreamEvent } from '../streams/event.ts'
import { visibleParameters } from './resolver-parameters.ts'
import { STREAM_EXTENSION, type StreamField } from './stream-field.ts'

/** Objects in objects: deep enough for any path that somebody types, and an end for types that refer to themselves. */
const MAX_DEPTH = 4
/** Paths of one type: an error names them all. */
const MAX_PATHS = 100

type Read = (value: unknown) => unknown
type Paths = ReadonlyMap<string, Read>
type TypedField = Pick<GraphQLField<unknown, unknown>, 'type' | 'extensions'>

const known = new WeakMap<GraphQLOutputType, Paths>()

/**
 * How the key of an event is read: the value of the field at a path of the output type.
 * @throws SluiceError `BAD_USER_INPUT` for a path that is not there, or whose value does not come from the event alone.
 */
export function keysOf(field: TypedField, by: string): (event: StreamEvent) => unknown {
  const { resolve } = field.extensions[STREAM_EXTENSION] as StreamField
  const own = resolve === undefined ? same : readOf(resolve as never)
  const paths = own ? pathsOf(field.type) : new Map<string, Read>()
  const read = paths.get(by)
  if (!own || !read) {
    const names = [...paths.keys()].map((path) => `"${path}"`)
    const may = names.length > 0 ? `one of ${names.join(', ')}` : 'not for this field, whose values are computed'
    throw new SluiceError('BAD_USER_INPUT', `"throttle.by" is ${may}`)
  }
  return ({ value }) => {
    try {
      return comparable(read(own(value)))
    } catch {
      // The result has the error, if the field was asked for.
      return undefined
    }
  }
}

function same(value: unknown): unknown {
  return value
}

/** The paths of fields that have one value, and read it from the event alone. */
function pathsOf(type: GraphQLOutputType): Paths {
  let paths = known.get(type)
  if (!paths) {
    paths = collect(type)
    known.set(type, paths)
  }
  return paths
}

/** By breadth, so that the bounds leave out what is deepest. */
function collect(root: GraphQLOutputType): Paths {
  const paths = new Map<string, Read>()
  let level: { readonly type: GraphQLOutputType; readonly path: string; readonly read: Read }[] = [
    { type: root, path: '', read: same },
  ]
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const next: typeof level = []
    for (const { type, path, read } of level) {
      const named = getNullableType(type)
      if (!isObjectType(named)) continue
      for (const field of Object.values(named.getFields())) {
        const own = readOfField(field)
        if (!own) continue
        const found = { type: field.type, path: path + field.name, read: (value: unknown) => own(present(read(value))) }
        if (isLeafType(getNullableType(field.type))) paths.set(found.path, found.read)
        else next.push({ ...found, path: `${found.path}.` })
        if (paths.size >= MAX_PATHS) return paths
      }
    }
    level = next
  }
  return paths
}

/** Undefined: its value depends on more than the object, or may come later. */
function readOfField({ args, name, resolve }: GraphQLField<unknown, unknown>): Read | undefined {
  if (args.length > 0) return undefined
  if (!resolve || resolve === defaultFieldResolver) return (source) => (source as Record<string, unknown>)[name]
  return readOf(resolve)
}

function readOf(resolve: GraphQLFieldResolver<unknown, unknown>): Read | undefined {
  const isAsync = resolve.constructor.name === 'AsyncFunction'
  return isAsync || visibleParameters(resolve) > 1 ? undefined : (resolve as Read)
}

/** Under null there is no field. @throws TypeError */
function present(value: unknown): unknown {
  if (value === null || value === undefined) throw new TypeError('There is no object')
  return value
}

/** A value of a `Map`'s key: equal where the values are. */
function comparable(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value ?? undefined
  if (value instanceof Date) return value.getTime()
  // A promise: its rejection would be unhandled.
  if (typeof (value as PromiseLike<unknown>).then === 'function') {
    ;(value as PromiseLike<unknown>).then(undefined, () => {})
    return undefined
  }
  return JSON.stringify(value)
}
