import { SluiceError } from '../errors/codes.ts'
import { type Comparison, comparedAs } from './filter/comparison.ts'

/** A scalar of one's own, for `createBuilder({ scalars })`. */
export interface ScalarDefinition<Input, Output> {
  readonly description?: string
  /** What the clients' filters do with its values, as `parse` and the events have them. Absent: none is offered. */
  readonly comparedAs?: Comparison
  /** From the JSON of a client. What it throws is told to the client, as `BAD_USER_INPUT`. */
  readonly parse: (value: unknown) => Input
  /** To JSON, from a resolver's value, which is not null. */
  readonly serialize: (value: Output) => unknown
}

// biome-ignore lint/suspicious/noExplicitAny: each has types of its own, which are inferred
export type ScalarDefinitions = Readonly<Record<string, ScalarDefinition<any, any>>>

/** The types of one's own scalars in arguments and resolvers. */
export type OwnScalars<S extends ScalarDefinitions> = {
  [Name in keyof S]: { Input: ReturnType<S[Name]['parse']>; Output: Parameters<S[Name]['serialize']>[0] }
}

const NAME = /^(?!__)[A-Za-z_]\w*$/
/** Types that GraphQL or the builder has. */
const TAKEN: ReadonlySet<string> = new Set([
  ...['Boolean', 'Float', 'ID', 'Int', 'String', 'Query', 'Mutation', 'Subscription'],
  ...['Cursor', 'DateTime', 'Decimal', 'Long', 'JSON', 'Throttle', 'ThrottleMode'],
])
const COMPARISONS: readonly Comparison[] = ['text', 'id', 'number', 'boolean', 'decimal', 'instant']

/** The configuration of a scalar. @throws TypeError for a name that is taken or none, and for what is no definition. */
export function ownScalar(name: string, definition: ScalarDefinition<unknown, unknown>) {
  if (!NAME.test(name)) throw new TypeError(`"${name}" is no name of a scalar`)
  if (TAKEN.has(name)) throw new TypeError(`The name "${name}" is taken: give the scalar another one`)
  const { description, comparedAs: comparison, parse, serialize } = definition
  if (typeof parse !== 'function' || typeof serialize !== 'function') {
    throw new TypeError(`The scalar "${name}" needs the functions "parse" and "serialize"`)
  }
  if (comparison !== undefined && !COMPARISONS.includes(comparison)) {
    throw new TypeError(`The scalar "${name}" is compared as none of ${COMPARISONS.join(', ')}`)
  }
  return {
    ...(description !== undefined && { description }),
    ...(comparison && { extensions: comparedAs(comparison) }),
    serialize,
    parseValue(value: unknown): unknown {
      try {
        return parse(value)
      } catch (error) {
        if (error instanceof SluiceError) throw error
        throw new SluiceError('BAD_USER_INPUT', error instanceof Error ? error.message : `This is no ${name}`)
      }
    },
  }
}
