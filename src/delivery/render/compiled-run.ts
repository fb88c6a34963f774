import {
  defaultFieldResolver,
  type ExecutionResult,
  executeSubscriptionEvent,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  type ValidatedSubscriptionArgs,
} from 'graphql'
import { REFUSED } from './text-values.ts'

type Field = GraphQLField<unknown, unknown>

/** Value of a field that was not executed. */
export const NONE = Symbol('none')

/** Field values within a list. */
export class Items {
  readonly values: unknown[] = []
}

/**
 * State of compiled code that stopped: the values of the event's fields, in the order of execution. graphql-js executes
 * the event from the beginning with these values, so that each resolver is called once for an event.
 */
export class Stopped {
  readonly known: unknown[] = []
  /** The next field was executed too, and threw this. */
  readonly thrown: { readonly error: unknown } | undefined
  /** The helpers that resolvers received in their `info`. */
  readonly helpers: AsyncHelpers | undefined

  constructor(error: unknown, given: readonly unknown[], helpers: AsyncHelpers | undefined) {
    this.thrown = error === REFUSED ? undefined : { error }
    this.helpers = helpers
    for (const value of given) {
      if (value instanceof Items) for (const item of value.values) this.known.push(item)
      else if (value !== NONE) this.known.push(value)
    }
  }
}

/** Continues the event with graphql-js, which calls the remaining resolvers. */
export function goOn(args: ValidatedSubscriptionArgs, stopped: Stopped): ExecutionResult | Promise<ExecutionResult> {
  const { known, thrown, helpers = new AsyncHelpers() } = stopped
  let next = 0
  const schema: GraphQLSchema = Object.create(args.schema, {
    getField: {
      value(...place: Parameters<GraphQLSchema['getField']>): Field | undefined {
        const field = args.schema.getField(...place)
        // Introspection fields are not recorded, and call no resolver.
        return field && !field.name.startsWith('__') ? withResolver(field, resolverOf(field)) : field
      },
    },
  })
  const resolverOf =
    ({ resolve = defaultFieldResolver }: Field): GraphQLFieldResolver<unknown, unknown> =>
    (source, given, context, info) => {
      helpers.putInto(info, args.schema)
      const place = next++
      if (place < known.length) {
        const value = known[place]
        // Compiled code has read the value, and left the call to the default resolver.
        if (typeof value !== 'function' || resolve !== defaultFieldResolver) return value
      }
      if (place === known.length && thrown) throw thrown.error
      return resolve(source, given, context, info)
    }
  const end = (): void => helpers.end()
  const result = executeSubscriptionEvent({ ...args, schema })
  if (result instanceof Promise) result.then(end, end)
  else end()
  return result
}

function withResolver(field: Field, resolve: GraphQLFieldResolver<unknown, unknown>): Field {
  return Object.create(field, { resolve: { value: resolve } })
}

type Path = GraphQLResolveInfo['path']

/** Parts of the resolvers' `info` that all fields of an event share: paths, the abort signal, tracking of promises. */
export class AsyncHelpers {
  /** Paths of compiled code, by the path before them and the key. */
  #paths: Map<Path | undefined, Map<Path['key'], Path>> | undefined
  readonly #kept: Path[] = []
  /** The paths that stand for those of graphql-js. */
  readonly #same = new Map<Path, Path>()
  /** Created at first use, which is rare. */
  #controller: AbortController | undefined
  #ended = false
  readonly getAbortSignal: GraphQLResolveInfo['getAbortSignal'] = () => this.#signal()
  readonly getAsyncHelpers: GraphQLResolveInfo['getAsyncHelpers'] = () => this.#helpers
  readonly #helpers: ReturnType<GraphQLResolveInfo['getAsyncHelpers']> = {
    promiseAll: (values) => {
      const all = Promise.all(values)
      all.then(undefined, () => track(values))
      return all
    },
    track,
  }

  /** @returns the path, which resolvers may keep: another one of the event is to have the same before it. */
  keep(path: Path): Path {
    this.#kept.push(path)
    return path
  }

  /**
   * Makes the `info` of graphql-js one of the event that compiled code has begun. It is changed in place, since the type
   * resolvers of the field receive it too.
   */
  putInto(info: GraphQLResolveInfo, schema: GraphQLSchema): void {
    const { getAbortSignal, getAsyncHelpers } = this
    Object.assign(info, { schema, path: this.#sameAs(info.path), getAbortSignal, getAsyncHelpers })
  }

  #sameAs(path: Path): Path {
    const known = this.#same.get(path)
    if (known) return known
    const prev = path.prev && this.#sameAs(path.prev)
    const same = this.#find(prev, path.key) ?? (prev === path.prev ? path : { ...path, prev })
    this.#same.set(path, same)
    return same
  }

  #find(prev: Path | undefined, key: Path['key']): Path | undefined {
    if (!this.#paths) {
      this.#paths = new Map()
      for (const path of this.#kept) {
        const ofPrevious = this.#paths.get(path.prev) ?? new Map<Path['key'], Path>()
        this.#paths.set(path.prev, ofPrevious.set(path.key, path))
      }
    }
    return this.#paths.get(prev)?.get(key)
  }

  end(): void {
    this.#ended = true
    this.#controller?.abort()
  }

  #signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#ended) this.#controller.abort()
    }
    return this.#controller.signal
  }
}

/** The results of these promises are ignored. */
function track(values: readonly unknown[]): void {
  for (const value of values) {
    if (typeof (value as PromiseLike<unknown> | null)?.then === 'function') {
      ;(value as PromiseLike<unknown>).then(undefined, () => {})
    }
  }
}
