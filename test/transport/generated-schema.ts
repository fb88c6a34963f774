import fc from 'fast-check'
import {
  GraphQLEnumType,
  GraphQLError,
  GraphQLFloat,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  type GraphQLNullableOutputType,
  GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
} from 'graphql'

/** Names that mean something to JavaScript, and nothing to GraphQL. */
export const NAMES = [
  'then',
  '__proto__',
  'constructor',
  'toJSON',
  'hasOwnProperty',
  'length',
  'valueOf',
  'prototype',
  'catch',
  'data',
  'errors',
  'a',
]

const OUTCOMES = ['value', 'null', 'throws', 'rejects', 'later', 'coded', 'big', 'wrong', 'argument'] as const
type Outcome = (typeof OUTCOMES)[number]

/** What a field of a generated type is, and what its resolver does. */
export interface FieldSpec {
  readonly type: 'Int' | 'Float' | 'String' | 'Enum' | 'Json' | 'self' | 'other' | 'Either'
  readonly list: boolean
  readonly required: boolean
  readonly outcome: Outcome
}

export type SchemaSpec = readonly (readonly FieldSpec[])[]

const field: fc.Arbitrary<FieldSpec> = fc.record({
  type: fc.constantFrom('Int', 'Float', 'String', 'Enum', 'Json', 'self', 'other', 'Either'),
  list: fc.boolean(),
  required: fc.boolean(),
  outcome: fc.oneof({ weight: 6, arbitrary: fc.constant<Outcome>('value') }, fc.constantFrom(...OUTCOMES)),
})

/** Two types of some fields each; the first is the root of queries, mutations and subscriptions too. */
export const schemaSpec: fc.Arbitrary<SchemaSpec> = fc.tuple(
  fc.array(field, { minLength: 2, maxLength: 6 }),
  fc.array(field, { minLength: 2, maxLength: 6 }),
)

const Enum = new GraphQLEnumType({ name: 'Enum', values: { RED: { value: 0 }, BLUE: { value: 1 } } })
const Json = new GraphQLScalarType({ name: 'Json' })
const Input: GraphQLInputObjectType = new GraphQLInputObjectType({
  name: 'Input',
  fields: () => ({
    n: { type: GraphQLInt, defaultValue: 1 },
    list: { type: new GraphQLList(GraphQLInt) },
    inner: { type: Input },
  }),
})
const args = {
  n: { type: new GraphQLNonNull(GraphQLInt), defaultValue: 2 },
  input: { type: Input },
}

const LEAVES = {
  Int: 7,
  Float: 2.5,
  String: 'text \u2028 "quoted" \ud83d\ude00',
  Enum: 1,
  // biome-ignore lint/suspicious/noThenProperty: a name like others
  Json: { then: 1, nested: [null, { toJSON: 'x' }] },
} as const

function resultOf({ type, list }: FieldSpec): unknown {
  const value = type in LEAVES ? LEAVES[type as keyof typeof LEAVES] : {}
  return list ? [value, value] : value
}

function resolverOf(spec: FieldSpec) {
  return (_source: unknown, given: unknown): unknown => {
    switch (spec.outcome) {
      case 'value':
        return resultOf(spec)
      case 'null':
        return null
      case 'throws':
        throw new Error('secret')
      case 'rejects':
        return Promise.reject(new GraphQLError('secret'))
      case 'later':
        return Promise.resolve(resultOf(spec))
      case 'coded':
        throw new GraphQLError('for clients', { extensions: { code: 'THEIRS', http: { status: 503 }, detail: [1] } })
      case 'big':
        return 2n
      case 'wrong':
        return spec.list ? 3 : ['wrong']
      case 'argument':
        return spec.type === 'Json' || spec.type === 'String' ? JSON.stringify(given) : resultOf(spec)
    }
  }
}

export function schemaOf([first, second]: SchemaSpec): GraphQLSchema {
  const named: Record<FieldSpec['type'], () => GraphQLNullableOutputType> = {
    Int: () => GraphQLInt,
    Float: () => GraphQLFloat,
    String: () => GraphQLString,
    Enum: () => Enum,
    Json: () => Json,
    self: () => One,
    other: () => Two,
    Either: () => Either,
  }
  const typeOf = ({ type, list, required }: FieldSpec): GraphQLOutputType => {
    const inner = list ? new GraphQLList(named[type]()) : named[type]()
    return required ? new GraphQLNonNull(inner) : inner
  }
  const fieldsOf = (specs: readonly FieldSpec[] = []) =>
    Object.fromEntries([
      ['hello', { type: GraphQLString, resolve: () => 'world' }],
      ...specs.map((spec, index) => [`f${index}`, { type: typeOf(spec), args, resolve: resolverOf(spec) }]),
    ])
  const Either: GraphQLInterfaceType = new GraphQLInterfaceType({
    name: 'Either',
    fields: { hello: { type: GraphQLString } },
    resolveType: () => 'Two',
  })
  const object = (name: string, specs: readonly FieldSpec[] | undefined) =>
    new GraphQLObjectType({ name, interfaces: [Either], fields: () => fieldsOf(specs) })
  const One: GraphQLObjectType = object('One', first)
  const Two: GraphQLObjectType = object('Two', second)
  const once = {
    type: One,
    subscribe: async function* () {
      yield {}
    },
    resolve: () => ({}),
  }
  return new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: () => fieldsOf(first) }),
    mutation: new GraphQLObjectType({ name: 'Mutation', fields: () => fieldsOf(first) }),
    subscription: new GraphQLObjectType({ name: 'Subscription', fields: { once } }),
    types: [One, Two],
  })
}

const ARGUMENTS = [
  '',
  '',
  '',
  '(n: 4)',
  '(n: $n)',
  '(n: $maybe)',
  '(input: { n: 1, list: [1], inner: {} })',
  '(input: $input)',
]

/** A selection of a type of the schema; it asks for nothing that the type has not. */
export function selectionOf(spec: SchemaSpec, type: number, depth: number): fc.Arbitrary<string> {
  const fields = spec[type] ?? []
  const leaf = fc.constantFrom('hello', '__typename')
  const any = fc.nat(fields.length - 1).chain((index) => {
    const { type: name } = fields[index] as FieldSpec
    const call = fc.constantFrom(...ARGUMENTS).map((given) => `f${index}${given}`)
    if (name in LEAVES) return call
    if (depth === 0) return leaf
    const inner = selectionOf(spec, name === 'self' ? type && 0 : 1, depth - 1)
    const set = name === 'Either' ? inner.map((text) => `__typename ... on Two { ${text} }`) : inner
    return fc.tuple(call, set).map(([field, text]) => `${field} { ${text} }`)
  })
  const aliased = fc
    .tuple(fc.option(fc.constantFrom(...NAMES), { nil: undefined }), fc.oneof(leaf, any))
    .map(([alias, text]) => (alias === undefined ? text : `${alias}: ${text}`))
  return fc.array(aliased, { minLength: 1, maxLength: 4 }).map((texts) => texts.join(' '))
}
