import { type GraphQLField, type GraphQLOutputType, getNullableType, isLeafType, isObjectType } from 'graphql'
import { SluiceError } from '../errors/codes.ts'
import type { StreamEvent } from '../streams/event.ts'
import { followedBy, isStep, SAME, type Step, stepOfField } from './filter/step.ts'
import { STREAM_EXTENSION, type StreamField } from './stream-field.ts'

/** Objects in objects: deep enough for any path that somebody types, and an end for types that refer to themselves. */
const MAX_DEPTH = 4
/** Paths of one type: an error names them all. */
const MAX_PATHS = 100

type Paths = ReadonlyMap<string, Step>
type TypedField = Pick<GraphQLField<unknown, unknown>, 'type' | 'extensions'>

const known = new WeakMap<GraphQLOutputType, Paths>()

/**
 * How the key of an event is read: the value of the field at a path of the output type.
 * @throws SluiceError `BAD_USER_INPUT` for a path that is not there, or whose value does not come from the event alone.
 */
export function keysOf(field: TypedField, by: string): (event: StreamEvent) => unknown {
  const { step } = field.extensions[STREAM_EXTENSION] as StreamField
  const paths: Paths = isStep(step) ? pathsOf(field.type) : new Map()
  const last = paths.get(by)
  if (!isStep(step) || !last) {
    const names = [...paths.keys()].map((path) => `"${path}"`)
    const may = names.length > 0 ? `one of ${names.join(', ')}` : 'not for this field, whose values are computed'
    throw new SluiceError('BAD_USER_INPUT', `"throttle.by" is ${may}`)
  }
  const { read } = followedBy(step, last)
  return ({ value }) => {
    try {
      return comparable(read(value))
    } catch {
      // The result has the error, if the field was asked for.
      return undefined
    }
  }
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
  const paths = new Map<string, Step>()
  let level: { readonly type: GraphQLOutputType; readonly path: string; readonly step: Step }[] = [
    { type: root, path: '', step: SAME },
  ]
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const next: typeof level = []
    for (const { type, path, step } of level) {
      const named = getNullableType(type)
      if (!isObjectType(named)) continue
      for (const field of Object.values(named.getFields())) {
        const own = field.args.length > 0 ? undefined : stepOfField(field.name, field.resolve)
        if (!own || !isStep(own)) continue
        const found = { type: field.type, path: path + field.name, step: followedBy(step, own) }
        if (isLeafType(getNullableType(field.type))) paths.set(found.path, found.step)
        else next.push({ ...found, path: `${found.path}.` })
        if (paths.size >= MAX_PATHS) return paths
      }
    }
    level = next
  }
  return paths
}

/** A value of a `Map`'s key: equal where the values are. */
function comparable(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value ?? undefined
  if (value instanceof Date) return value.getTime()
  return JSON.stringify(value)
}
