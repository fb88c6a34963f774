import { defaultFieldResolver, type GraphQLFieldResolver } from 'graphql'
import { atOnce } from '../at-once.ts'
import { visibleParameters } from '../resolver-parameters.ts'
import { propertyPath } from './property-path.ts'

/** The way from a value to another that is made from it alone, and at once. */
export interface Step {
  /** The properties that lead there; `[]`: it is the same value. Undefined: only `read` knows. */
  readonly properties: readonly string[] | undefined
  /** Null and undefined have nothing to read. */
  readonly read: (source: unknown) => unknown
}

/** Why a value is not made from another alone, and at once. It goes on after "because". */
export interface NoStep {
  readonly reason: string
}

type Resolve = GraphQLFieldResolver<unknown, unknown>
type OfSource = (source: never) => unknown

/** The same value. */
export const SAME: Step = { properties: [], read: (source) => source }

/** The step of a field's resolver, from the value of its object. */
export function stepOfField(name: string, resolve: Resolve | undefined): Step | NoStep {
  // The default resolver calls a function with arguments and context. No operator holds for a function.
  if (!resolve || resolve === defaultFieldResolver) return stepByProperties([name])
  return stepOf(resolve as unknown as OfSource, `resolver of "${name}"`)
}

/**
 * The step of any function. One that reads the clock, or anything else beside its first parameter, cannot be told from
 * one that does not: a definition leaves such a field out.
 */
export function stepOf(read: OfSource, what: string): Step | NoStep {
  if (isAsynchronous(read)) return { reason: 'its resolver is asynchronous' }
  if (visibleParameters(read as unknown as Resolve) > 1) {
    return { reason: 'its resolver reads, or may read, more than its source' }
  }
  const properties = propertyPath(read)
  if (properties) return stepByProperties(properties)
  return {
    properties: undefined,
    read: (source) => (isNothing(source) ? undefined : atOnce(read(source as never), what)),
  }
}

export function isStep(step: Step | NoStep): step is Step {
  return 'read' in step
}

export function followedBy(first: Step, second: Step): Step {
  if (first.properties && second.properties) return stepByProperties([...first.properties, ...second.properties])
  return { properties: undefined, read: (source) => second.read(first.read(source)) }
}

function stepByProperties(properties: readonly string[]): Step {
  if (properties.length === 0) return SAME
  return {
    properties,
    read(source) {
      let value = source
      for (const property of properties) {
        if (isNothing(value)) return undefined
        value = (value as Record<string, unknown>)[property]
      }
      return value
    },
  }
}

function isNothing(value: unknown): value is null | undefined {
  return value === null || value === undefined
}

function isAsynchronous(read: unknown): boolean {
  return Object.prototype.toString.call(read).startsWith('[object Async')
}
