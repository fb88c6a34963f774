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

/** What a field has given that was not executed. */
export const NONE = Symbol('none')

/** What fields within a list have given. */
export class Items {
  readonly values: unknown[] = []
}

/**
 * Where compiled code has stopped, since there is more to say than it can: what the fields of the event have given, in
 * the order in which they were executed. graphql-js executes the event from its beginning, and is told again what is
 * known, so that each resolver is called once for an event, whoever calls it.
 */
export class Stopped {
  readonly known: unknown[] = []
  /** The field after those was executed too, and threw this. */
  readonly thrown: { readonly error: unknown } | undefined
  /** What resolvers have got through their `info`. */
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

/** Executes the event by graphql-js, which calls the resolvers that have not been called. */
export function goOn(args: ValidatedSubscriptionArgs, stopped: Stopped): ExecutionResult | Promise<ExecutionResult> {
  const { known, thrown, helpers = new AsyncHelpers() } = stopped
  let next = 0
  const schema: GraphQLSchema = Object.create(args.schema, {
    getField: {
      value(...place: Parameters<GraphQLSchema['getField']>): Field | undefined {
        const field = args.schema.getField(...place)
        // Nobody has counted these, and they call nothing.
        return field && !field.name.startsWith('__') ? withResolver(field, resolverOf(field)) : field
      },
    },
  })
  const resolverOf =
    ({ resolve = defaultFieldResolver }: Field): GraphQLFieldResolver<unknown, unknown> =>
    (source, given, context, info) => {
      const place = next++
      if (place < known.length) {
        const value = known[place]
        // Compiled code has read it, and left the call to the default resolver.
        if (typeof value !== 'function' || resolve !== defaultFieldResolver) return value
      }
      if (place === known.length && thrown) throw thrown.error
      return resolve(source, given, context, helpers.into({ ...info, schema: args.schema }))
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

/** What graphql-js gives to resolvers beside their place: the signal of an execution's end, and the rest of promises. */
export class AsyncHelpers {
  /** Made for the first who asks: hardly anybody does. */
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

  /** Where it stands in the info of graphql-js, so that all resolvers of an event have the same. */
  into(info: GraphQLResolveInfo): GraphQLResolveInfo {
    const { getAbortSignal, getAsyncHelpers } = this
    return { ...info, getAbortSignal, getAsyncHelpers }
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

/** Nobody is going to look at what becomes of these. */
function track(values: readonly unknown[]): void {
  for (const value of values) {
    if (typeof (value as PromiseLike<unknown> | null)?.then === 'function') {
      ;(value as PromiseLike<unknown>).then(undefined, () => {})
    }
  }
}
