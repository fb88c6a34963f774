import fc from 'fast-check'
import {
  execute,
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
  parse,
  validate,
  validateExecutionArgs,
} from 'graphql'
import { expect, test } from 'vitest'
import { compileOperation } from '../../src/delivery/compile.ts'
import { compileText } from '../../src/delivery/compile-text.ts'
import { SluiceError } from '../../src/errors.ts'
import { Statistics } from '../kit/statistics.ts'

/** What a leaf resolver does with its event: every way in which resolvers end. */
type Leaf =
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

interface Event {
  readonly leaves: readonly Leaf[]
  readonly kind: 'Cat' | 'Dog'
  readonly length: number
  readonly text: string
  readonly number: number
}

const LEAVES: readonly Leaf[] = [
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

const seen = new Map<string, number>()
const count = (what: string) => void seen.set(what, (seen.get(what) ?? 0) + 1)

/** A leaf that ends as the event says for this place. */
function leafResolver(place: number, value: unknown, wrong: unknown) {
  return (self: unknown) => {
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
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields: { cat: root, animal: { ...root, type: Animal } } }),
  types: [Cat, Dog],
})

const scalarField = fc.constantFrom(
  'id',
  'name',
  'age',
  'weight',
  'color',
  'seen',
  'tags',
  'strict',
  '__typename',
  'n: name',
  'p: plus',
  'plus(by: 3)',
  'v: plus(by: $by)',
  'text',
  'number',
  'whole',
)
const directive = fc.constantFrom(
  '',
  '',
  '',
  '',
  '',
  '',
  '',
  ' @include(if: $yes)',
  ' @skip(if: $yes)',
  ' @include(if: false)',
  ' @skip(if: false)',
)

/** Selections of an object type, nested to a depth. */
function selections(depth: number): fc.Arbitrary<string> {
  const leafSelection = fc.tuple(scalarField, directive).map(([field, on]) => field + on)
  const choices: fc.Arbitrary<string>[] = [leafSelection, leafSelection]
  if (depth > 0) {
    const inner = fc.oneof(abstractSelections(depth - 1))
    choices.push(
      fc
        .tuple(fc.constantFrom('friend', 'any', 'friends', 'f: friends'), directive, inner)
        .map(([field, on, set]) => `${field}${on} { ${set} }`),
      selections(depth - 1).map((set) => `needed { ${set} }`),
      selections(depth - 1).map((set) => `... { ${set} }`),
    )
  }
  return fc.array(fc.oneof(...choices), { minLength: 1, maxLength: 4 }).map((fields) => fields.join(' '))
}

function abstractSelections(depth: number): fc.Arbitrary<string> {
  return fc
    .tuple(selections(depth), selections(depth))
    .map(([cat, dog]) => `__typename ... on Cat { ${cat} } ... on Dog { ${dog} }`)
}

const operation = fc
  .tuple(
    fc.oneof(
      selections(3).map((set) => `cat { ${set} ...Named }`),
      abstractSelections(2).map((set) => `animal { ${set} ...Named }`),
    ),
  )
  .map(
    ([set]) =>
      `query($yes: Boolean!, $by: Int) { ${set} u: cat @include(if: $yes) { plus(by: $by) } } fragment Named on Animal { name id }`,
  )

const event = fc.record<Event>({
  leaves: fc.array(fc.oneof({ weight: 6, arbitrary: fc.constant<Leaf>('value') }, fc.constantFrom(...LEAVES)), {
    minLength: 1,
    maxLength: 7,
  }),
  kind: fc.constantFrom('Cat', 'Dog'),
  length: fc.nat(3),
  text: fc.string({ unit: 'binary' }).map((text) => (text.length > 5 ? `${text}\ud800` : text)),
  number: fc.oneof(fc.double(), fc.integer(), fc.constant(-0)),
})

const plain = (value: unknown) => JSON.parse(JSON.stringify(value ?? null))

test('a compiled operation gives the data that graphql-js gives, and errors where that one gives errors', async () => {
  let compared = 0
  let withErrors = 0
  let invalid = 0
  let notCompiled = 0
  await fc.assert(
    fc.asyncProperty(
      operation,
      fc.array(event, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      async (text, events, yes) => {
        const document = parse(text)
        if (validate(schema, document).length > 0) {
          invalid++
          return
        }
        const variables = { yes, by: 2 }
        const args = validateExecutionArgs({ schema, document, variableValues: variables })
        if (!('operation' in args)) throw new Error('not valid')
        const compiled = compileOperation(args)
        if (!compiled) {
          notCompiled++
          return
        }
        for (const rootValue of events) {
          const expected = await execute({ schema, document, rootValue, variableValues: variables })
          const actual = await compiled(rootValue, undefined, variables)
          expect(plain(actual.data), text).toEqual(plain(expected.data))
          expect(Boolean(actual.errors), text).toBe(Boolean(expected.errors))
          compared++
          if (expected.errors) withErrors++
        }
      },
    ),
    { numRuns: 400 },
  )
  console.log(
    `compared ${compared} results, ${withErrors} with errors; ${invalid} operations did not validate, ${notCompiled} did not compile`,
  )
  console.log(`leaves: ${[...seen].map(([what, times]) => `${what} ${times}`).join(', ')}`)
  expect(withErrors).toBeGreaterThan(50)
  for (const each of LEAVES) expect(seen.get(each), each).toBeGreaterThan(0)
})

/** Selections of an object type in which every type is known beforehand. */
function plainSelections(depth: number): fc.Arbitrary<string> {
  const leafSelection = fc.tuple(scalarField, directive).map(([field, on]) => field + on)
  const choices: fc.Arbitrary<string>[] = [
    leafSelection,
    leafSelection,
    fc.constantFrom('...Named', '...Named', '...Named', 'path'),
  ]
  if (depth > 0) {
    choices.push(
      fc
        .tuple(
          fc.constantFrom(
            'needed',
            'perhaps',
            'kittens',
            'k: kittens',
            '...',
            '... on Animal',
            '... on Cat',
            '... on Anything',
          ),
          directive,
          plainSelections(depth - 1),
        )
        .map(([field, on, set]) =>
          field.startsWith('... on An') ? `${field}${on} { ... on Cat { ${set} } }` : `${field}${on} { ${set} }`,
        ),
    )
  }
  return fc.array(fc.oneof(...choices), { minLength: 1, maxLength: 5 }).map((fields) => fields.join(' '))
}

test('an operation compiled to text gives the JSON that graphql-js gives, byte for byte, or says that it cannot', async () => {
  const statistics = new Statistics('texts', [
    'told',
    'refused',
    'refused for an error',
    'refused for a promise',
    'refused for info',
    'null',
    'escaped',
    'a list',
  ])
  let invalid = 0
  await fc.assert(
    fc.asyncProperty(
      plainSelections(3),
      fc.array(event, { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      async (set, events, yes) => {
        const text = `query($yes: Boolean!, $by: Int) { cat { ${set} } ...Both u: cat @include(if: $yes) { plus(by: $by) name @skip(if: $yes) } }
          fragment Named on Animal { name id } fragment Both on Query { cat { id } }`
        const document = parse(text)
        if (validate(schema, document).length > 0) {
          invalid++
          return
        }
        const variableValues = { yes, by: 2 }
        const args = validateExecutionArgs({ schema, document, variableValues })
        if (!('operation' in args)) throw new Error('not valid')
        const textOf = compileText(args)
        if (!textOf) throw new Error(`Not compiled: ${text}`)
        for (const rootValue of events) {
          const told = textOf(rootValue, undefined)
          const running = execute({ schema, document, rootValue, variableValues })
          const expected = await running
          const json = JSON.stringify({ data: expected.data })
          if (told === undefined) {
            statistics.count('refused')
            const isForInfo = json.includes('"path":"path"')
            if (expected.errors) statistics.count('refused for an error')
            else if (running instanceof Promise) statistics.count('refused for a promise')
            else if (isForInfo) statistics.count('refused for info')
            else throw new Error(`Refused without a reason: ${text}, ${json}`)
            continue
          }
          expect(expected.errors, text).toBeUndefined()
          expect(told, text).toBe(json)
          statistics.count('told')
          if (json.includes('null')) statistics.count('null')
          if (json.includes('\\')) statistics.count('escaped')
          if (json.includes('[')) statistics.count('a list')
        }
      },
    ),
    { numRuns: 1000 },
  )
  console.log(`${invalid} operations did not validate`)
  statistics.report()
})

test.each([
  ['an abstract type', '{ animal { id } }'],
  ['fields that only some other directive leaves out', 'query { cat { id @later } }'],
])('%s is not compiled to text', (_, text) => {
  const args = validateExecutionArgs({ schema, document: parse(text) })
  expect('operation' in args && compileText(args)).toBeUndefined()
})

test('fragments that multiply are not compiled', () => {
  const levels = Array.from(
    { length: 14 },
    (_, i) => `fragment L${i} on Cat { a: needed { ...L${i + 1} } b: needed { ...L${i + 1} } }`,
  )
  const document = parse(`{ cat { ...L0 } } ${levels.join(' ')} fragment L14 on Cat { id }`)
  const args = validateExecutionArgs({ schema, document })
  if (!('operation' in args)) throw new Error('not valid')
  expect(() => compileText(args)).toThrow('more than 10000 statements')
})
