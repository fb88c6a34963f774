import {
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  isIntrospectionType,
  isObjectType,
} from 'graphql'
import { PlainHistogram } from './plain-histogram.ts'

/** In seconds: what a computation, a service nearby and a slow one take, up to the timeout of an event. */
const RESOLVER_BUCKETS = [0.001, 0.01, 0.1, 1, 10]
/**
 * Of executions, one in so many is a sample, on average: at random, so that groups that take turns all come up. The
 * others pay for a subtraction.
 */
const ONE_IN = 100
/** Limit of samples a second. One costs some 20 µs more than a compiled execution: together 0.04 % of the time. */
const SAMPLES_PER_SECOND = 20

interface Timed {
  readonly field: GraphQLField<unknown, unknown>
  readonly plain: GraphQLFieldResolver<unknown, unknown>
  readonly timed: GraphQLFieldResolver<unknown, unknown>
}

/**
 * The time that resolvers take, by schema coordinate. Only samples are measured, as graphql-js executes them: for the
 * synchronous part of one the schema's fields have resolvers that measure. What is resolved below an asynchronous field
 * begins later, and is not measured.
 */
export class ResolverTimes {
  readonly byField = new Map<string, PlainHistogram>()
  readonly #fields: readonly Timed[]
  readonly #random: () => number
  #until = 1
  #left = SAMPLES_PER_SECOND
  #isSampling = false

  constructor(schema: GraphQLSchema, random: () => number = Math.random) {
    this.#fields = [...timedFields(schema, (coordinate, ms) => this.#observe(coordinate, ms))]
    this.#random = random
  }

  /** Called once a second. */
  refill(): void {
    this.#left = SAMPLES_PER_SECOND
  }

  /** Whether the next execution is a sample. `isAsked`: it is slow anyway, so that it is one if there is room. */
  takes(isAsked: boolean): boolean {
    if (--this.#until > 0 && !isAsked) return false
    if (this.#until <= 0) this.#until = 1 + Math.floor(this.#random() * (2 * ONE_IN - 1))
    return this.#left > 0 && this.#left-- > 0
  }

  /** Executes a sample, by graphql-js. */
  sample<T>(execute: () => T): T {
    if (this.#isSampling) return execute()
    this.#isSampling = true
    try {
      for (const { field, timed } of this.#fields) field.resolve = timed
      return execute()
    } finally {
      for (const { field, plain } of this.#fields) field.resolve = plain
      this.#isSampling = false
    }
  }

  #observe(coordinate: string, ms: number): void {
    let histogram = this.byField.get(coordinate)
    if (!histogram) {
      histogram = new PlainHistogram(RESOLVER_BUCKETS)
      this.byField.set(coordinate, histogram)
    }
    histogram.observe(ms / 1_000)
  }
}

/** Fields that have a resolver of their own: others read a property. */
function* timedFields(schema: GraphQLSchema, observe: (coordinate: string, ms: number) => void): Iterable<Timed> {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || isIntrospectionType(type)) continue
    for (const field of Object.values(type.getFields())) {
      const plain = field.resolve
      if (!plain || Object.isFrozen(field)) continue
      const coordinate = `${type.name}.${field.name}`
      yield { field, plain, timed: measured(plain, (ms) => observe(coordinate, ms)) }
    }
  }
}

function measured(plain: Timed['plain'], observe: (ms: number) => void): Timed['timed'] {
  return (...args) => {
    const from = performance.now()
    const stop = (): void => observe(performance.now() - from)
    let result: unknown
    try {
      result = plain(...args)
    } catch (error) {
      stop()
      throw error
    }
    if (result instanceof Promise) result.then(stop, stop)
    else stop()
    return result
  }
}
