import { type GraphQLField, type GraphQLOutputType, getNullableType, isLeafType, isObjectType } from 'graphql'
import { SluiceError } from '../errors/codes.ts'
import type { StreamEvent } from '../streams/event.ts'
import { ANONYMOUS, type Audience } from './context.ts'
import { followedBy, isStep, SAME, type Step, stepOfField } from './filter/step.ts'
import { rulesOfField } from './rights/schema-rules.ts'
import { demandAll, isMet, type ScopeRule } from './rights/scope-rule.ts'
import { STREAM_EXTENSION, type StreamField } from './stream-field.ts'

/** Objects in objects: deep enough for any path that somebody types, and an end for types that refer to themselves. */
const MAX_DEPTH = 4
/** Paths of one type: an error names them all. */
const MAX_PATHS = 100

/** A field below the type: how it is read, and what is asked of those who select it. */
interface Path {
  readonly step: Step
  readonly rules: readonly ScopeRule[]
}
type Paths = ReadonlyMap<string, Path>
type TypedField = Pick<GraphQLField<unknown, unknown>, 'type' | 'extensions'>

const known = new WeakMap<GraphQLOutputType, Paths>()

/**
 * How the key of an event is read: the value of the field at a path of the output type.
 * @throws SluiceError `BAD_USER_INPUT` for a path that is not there, or whose value does not come from the event alone;
 * `FORBIDDEN` for one that the audience may not select: what goes out tells which events have equal values.
 */
export function keysOf(field: TypedField, by: string, audience: Audience = ANONYMOUS): (event: StreamEvent) => unknown {
  const { step } = field.extensions[STREAM_EXTENSION] as StreamField
  const paths: Paths = isStep(step) ? pathsOf(field.type) : new Map()
  const last = paths.get(by)
  if (!isStep(step) || !last) {
    const mayUse = ([, { rules }]: [string, Path]) => rules.every((rule) => isMet(rule, audience))
    const names = [...paths].filter(mayUse).map(([path]) => `"${path}"`)
    const may = names.length > 0 ? `one of ${names.join(', ')}` : 'not for this field, whose values are computed'
    throw new SluiceError('BAD_USER_INPUT', `"throttle.by" is ${may}`)
  }
  demandAll(last.rules, audience, `"throttle.by": "${by}"`)
  const { read } = followedBy(step, last.step)
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
  const paths = new Map<string, Path>()
  let level: (Path & { readonly type: GraphQLOutputType; readonly path: string })[] = [
    { type: root, path: '', step: SAME, rules: [] },
  ]
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const next: typeof level = []
    for (const { type, path, step, rules } of level) {
      const named = getNullableType(type)
      if (!isObjectType(named)) continue
      for (const field of Object.values(named.getFields())) {
        const own = field.args.length > 0 ? undefined : stepOfField(field.name, resolverOf(field))
        if (!own || !isStep(own)) continue
        const found = {
          type: field.type,
          path: path + field.name,
          step: followedBy(step, own),
          rules: [...rules, ...rulesOfField(named, field.name)],
        }
        if (isLeafType(getNullableType(field.type))) paths.set(found.path, found)
        else next.push({ ...found, path: `${found.path}.` })
        if (paths.size >= MAX_PATHS) return paths
      }
    }
    level = next
  }
  return paths
}

/** The resolver of the definition: the plugin that checks scopes wraps it, and the wrapper may read everything. */
function resolverOf({
  resolve,
  extensions,
}: GraphQLField<unknown, unknown>): GraphQLField<unknown, unknown>['resolve'] {
  const config = extensions.pothosConfig as { readonly resolve?: typeof resolve } | undefined
  return config ? config.resolve : resolve
}

/** A value of a `Map`'s key: equal where the values are. */
function comparable(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value ?? undefined
  if (value instanceof Date) return value.getTime()
  return JSON.stringify(value)
}
