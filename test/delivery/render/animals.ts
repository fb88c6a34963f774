import {
  GraphQLEnumType,
  GraphQLError,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  type GraphQLNullableOutputType,
  GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
} from 'graphql'
import { SluiceError } from '../../../src/errors/codes.ts'

/** What a leaf resolver does with its event: every way in which resolvers end. */
export type Leaf =
  | 'value'
  | 'null'
  | 'undefined'
  | 'throws'
  | 'rejects'
  | 'later'
  | 'sluice'
  | 'graphql'
  | 'wrong type'
  | 'error value'

export interface Event {
  readonly leaves: readonly Leaf[]
  readonly kind: 'Cat' | 'Dog'
  readonly length: number
  readonly text: string
  readonly number: number
}

export const LEAVES: readonly Leaf[] = [
  'value',
  'null',
  'undefined',
  'throws',
  'rejects',
  'later',
  'sluice',
  'graphql',
  'wrong type',
  'error value',
]

export const seen = new Map<string, number>()
const count = (what: string) => void seen.set(what, (seen.get(what) ?? 0) + 1)

/** Places of which resolvers were asked, in their order. A test empties it. */
export const calls: number[] = []

/** A leaf that ends as the event says for this place. */
function leafResolver(place: number, value: unknown, wrong: unknown) {
  return (self: unknown) => {
    calls.push(place)
    const { event } = self as { event: Event }
    const leaf = event.leaves[place % event.leaves.length] as Leaf
    count(leaf)
    switch (leaf) {
      case 'value':
        return value
      case 'null':
        return null
      case 'undefined':
        return undefined
      case 'throws':
        throw new Error('thrown')
      case 'rejects':
        return Promise.reject(new Error('rejected'))
      case 'later':
        return Promise.resolve(value)
      case 'sluice':
        throw new SluiceError('BAD_USER_INPUT', 'for clients')
      case 'graphql':
        throw new GraphQLError('for clients too', { extensions: { code: 'THEIRS' } })
      case 'wrong type':
        return wrong
      case 'error value':
        return new Error('returned')
    }
  }
}

const Color = new GraphQLEnumType({ name: 'Color', values: { RED: { value: 'RED' }, BLUE: { value: 'BLUE' } } })
const Stamp = new GraphQLScalarType({ name: 'Stamp', serialize: (value) => `at ${value}` })

let places = 0
const leaf = (type: GraphQLOutputType, value: unknown, wrong: unknown) => ({
  type,
  resolve: leafResolver(places++, value, wrong),
})
const required = (type: GraphQLNullableOutputType) => new GraphQLNonNull(type)

const commonFields = () => ({
  id: leaf(required(GraphQLID), 'id-1', {}),
  name: leaf(GraphQLString, 'Tom', {}),
  age: leaf(GraphQLInt, 7, 'seven'),
  weight: leaf(GraphQLFloat, 3.5, 'heavy'),
  color: leaf(Color, 'RED', 'GREEN'),
  seen: leaf(Stamp, 5, 6),
  tags: { type: new GraphQLList(GraphQLString), resolve: leafResolver(places++, ['a', null, 'b'], 'no list') },
  strict: {
    type: required(new GraphQLList(required(GraphQLString))),
    resolve: leafResolver(places++, ['a', 'b'], [null]),
  },
  text: { type: GraphQLString, resolve: (self: unknown) => (self as { event: Event }).event.text },
  number: { type: GraphQLFloat, resolve: (self: unknown) => (self as { event: Event }).event.number },
  whole: { type: GraphQLInt, resolve: (self: unknown) => (self as { event: Event }).event.number },
  path: {
    type: GraphQLString,
    resolve: (_self: unknown, _args: unknown, _context: unknown, info: GraphQLResolveInfo) => `${info.path.key}`,
  },
  plus: {
    type: GraphQLInt,
    args: { by: { type: GraphQLInt, defaultValue: 1 } },
    resolve: (_: unknown, args: Record<string, unknown>) => 1 + (args.by as number),
  },
})

const Animal = new GraphQLInterfaceType({
  name: 'Animal',
  fields: { id: { type: required(GraphQLID) }, name: { type: GraphQLString } },
  resolveType: ({ event }: { event: Event }) => event.kind,
})
const animal = (name: string): GraphQLObjectType =>
  new GraphQLObjectType({
    name,
    interfaces: [Animal],
    fields: () => ({
      ...commonFields(),
      friend: { type: Animal, resolve: (self: unknown) => self },
      any: { type: Anything, resolve: (self: unknown) => self },
      friends: {
        type: new GraphQLList(Animal),
        resolve: (self: unknown) => Array((self as { event: Event }).event.length).fill(self),
      },
      needed: { type: required(Cat), resolve: (self: unknown) => self },
      perhaps: {
        type: Cat,
        resolve: (self: unknown) => ((self as { event: Event }).event.length === 0 ? null : self),
      },
      kittens: {
        type: new GraphQLList(required(Cat)),
        resolve: (self: unknown) => Array((self as { event: Event }).event.length).fill(self),
      },
    }),
  })
const Cat: GraphQLObjectType = animal('Cat')
const Dog: GraphQLObjectType = animal('Dog')
const Anything = new GraphQLUnionType({
  name: 'Anything',
  types: [Cat, Dog],
  resolveType: ({ event }: { event: Event }) => event.kind,
})

const root = { type: Cat, resolve: (event: Event) => ({ event }) }
const fields = { cat: root, animal: { ...root, type: Animal } }
export const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields }),
  subscription: new GraphQLObjectType({ name: 'Subscription', fields }),
  types: [Cat, Dog],
})
