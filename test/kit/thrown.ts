import { GraphQLError } from 'graphql'
import { SluiceError } from '../../src/errors/codes.ts'

/** In everything that is thrown here and is for no client. */
export const SECRET = 'hunter2'

export interface Thrown {
  readonly what: string
  readonly make: () => unknown
  /** The code that clients see, where it was meant for them. */
  readonly code?: string
}

class Hostile extends Error {
  override get message(): string {
    throw new Error(SECRET)
  }
}

function circular(): Record<string, unknown> {
  const one: Record<string, unknown> = { code: 'THEIRS' }
  one.self = one
  return one
}

function withCycle(): GraphQLError {
  const error = new GraphQLError(SECRET, { originalError: new Error(SECRET) })
  return Object.assign(error, { originalError: error })
}

/** A GraphQLError that says of itself that it has a place already: an executor leaves it as it is. */
const PLACED = { path: [SECRET, 1] }
const nothing = Object.create(null) as object

/** What can be thrown, and whether it was meant for clients. */
export const THROWN: readonly Thrown[] = [
  { what: 'an Error', make: () => new Error(SECRET) },
  { what: 'an Error with a code', make: () => Object.assign(new Error(SECRET), { extensions: { code: 'X' } }) },
  { what: 'an Error with a path', make: () => Object.assign(new Error(SECRET), PLACED) },
  { what: 'an Error whose message throws', make: () => new Hostile() },
  { what: 'an Error whose message is no text', make: () => Object.assign(new Error(), { message: { SECRET } }) },
  { what: 'a frozen Error', make: () => Object.freeze(new Error(SECRET)) },
  { what: 'an AggregateError', make: () => new AggregateError([new Error(SECRET)], SECRET) },
  { what: 'undefined', make: () => undefined },
  { what: 'null', make: () => null },
  { what: 'a string', make: () => SECRET },
  { what: 'a number', make: () => 2 },
  { what: 'a symbol', make: () => Symbol(SECRET) },
  { what: 'a BigInt', make: () => 2n },
  { what: 'a function', make: () => () => SECRET },
  { what: 'an object', make: () => ({ message: SECRET, stack: SECRET }) },
  { what: 'an object without a prototype', make: () => nothing },
  { what: 'a frozen object', make: () => Object.freeze({ message: SECRET }) },
  { what: 'a GraphQLError', make: () => new GraphQLError(SECRET) },
  { what: 'a GraphQLError with a path', make: () => new GraphQLError(SECRET, PLACED) },
  { what: 'a GraphQLError with other extensions', make: () => new GraphQLError(SECRET, { extensions: { a: SECRET } }) },
  { what: 'a GraphQLError round an Error', make: () => new GraphQLError(SECRET, { originalError: new Error(SECRET) }) },
  { what: 'a GraphQLError that wraps itself', make: withCycle },
  {
    what: 'a GraphQLError round an Error with a code',
    make: () =>
      new GraphQLError(SECRET, { originalError: Object.assign(new Error(SECRET), { extensions: { code: 'X' } }) }),
  },
  { what: 'a SluiceError', make: () => new SluiceError('BAD_USER_INPUT', 'for clients'), code: 'BAD_USER_INPUT' },
  {
    what: 'a SluiceError with details that JSON cannot say',
    make: () => new SluiceError('BAD_USER_INPUT', 'for clients', { circle: circular(), big: 2n }),
    code: 'BAD_USER_INPUT',
  },
  {
    what: 'a GraphQLError with a code',
    make: () => new GraphQLError('for clients', { extensions: { code: 'THEIRS' } }),
    code: 'THEIRS',
  },
  {
    what: 'a GraphQLError with a code and a path',
    make: () => new GraphQLError('for clients', { extensions: { code: 'THEIRS' }, path: ['a', 0] }),
    code: 'THEIRS',
  },
  {
    what: 'a GraphQLError with a code round an Error',
    make: () => new GraphQLError('for clients', { extensions: { code: 'THEIRS' }, originalError: new Error(SECRET) }),
    code: 'THEIRS',
  },
  {
    what: 'a GraphQLError with a code and a stack',
    make: () =>
      new GraphQLError('for clients', {
        extensions: { code: 'THEIRS', stacktrace: [SECRET], exception: { stack: SECRET }, http: { status: 500 } },
      }),
    code: 'THEIRS',
  },
  {
    what: 'a GraphQLError with a code and a circle',
    make: () => new GraphQLError('for clients', { extensions: circular() }),
    code: 'THEIRS',
  },
  {
    what: 'a GraphQLError with a code and a BigInt',
    make: () => new GraphQLError('for clients', { extensions: { code: 'THEIRS', big: 2n } }),
    code: 'THEIRS',
  },
  {
    what: 'a GraphQLError with a code and a toJSON that throws',
    make: () =>
      new GraphQLError('for clients', {
        extensions: {
          code: 'THEIRS',
          toJSON() {
            throw new Error(SECRET)
          },
        },
      }),
    code: 'THEIRS',
  },
  {
    what: 'a GraphQLError with a code and more than a client can use',
    make: () => new GraphQLError('for clients', { extensions: { code: 'THEIRS', long: 'x'.repeat(1_000_000) } }),
    code: 'THEIRS',
  },
]
