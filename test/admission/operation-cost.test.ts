import fc from 'fast-check'
import {
  type ExecutionResult,
  execute,
  GraphQLInt,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  getIntrospectionQuery,
  getOperationAST,
  parse,
  validate,
} from 'graphql'
import { expect, test } from 'vitest'
import { DEFAULT_LIST_SIZE, OperationCost } from '../../src/admission/operation-cost.ts'
import { schema as ownSchema } from '../../src/resolvers/schema.ts'
import { Statistics } from '../kit/statistics.ts'
import { bestMs } from '../kit/yardstick.ts'

const MAX_FIRST = 40

const Named = new GraphQLInterfaceType({ name: 'Named', fields: { name: { type: GraphQLString } } })
const Node: GraphQLObjectType = new GraphQLObjectType({
  name: 'Node',
  interfaces: [Named],
  isTypeOf: () => true,
  fields: () => ({
    name: { type: GraphQLString, resolve: () => 'n' },
    one: { type: Node, resolve: () => ({}) },
    tags: { type: new GraphQLList(GraphQLString), resolve: () => ['a', 'b', 'c'] },
    children: { type: new GraphQLList(Node), resolve: () => Array.from({ length: DEFAULT_LIST_SIZE }, () => ({})) },
    grid: { type: new GraphQLList(new GraphQLList(Named)), resolve: () => [[{}, {}], [{}]] },
    items: {
      type: new GraphQLNonNull(new GraphQLList(Node)),
      args: { first: { type: GraphQLInt, defaultValue: 3 }, other: { type: GraphQLInt } },
      extensions: { cost: { multiplier: 'first', max: MAX_FIRST } },
      // It gives as much as it may.
      resolve: (_root, { first }) =>
        Array.from({ length: Math.max(0, Math.min(first ?? MAX_FIRST, MAX_FIRST)) }, () => ({})),
    },
  }),
})
const SCHEMA = new GraphQLSchema({ query: Node })
const FRAGMENTS = ['F', 'G', 'H']

let aliases = 0

/** Selections of a Node, by numbers that choose. A fragment uses only those after it. */
function selections(choices: Iterator<number>, depth: number, fragment = -1): string {
  const next = (count: number) => (choices.next().value ?? 0) % count
  const alias = () => `a${++aliases}: `
  const inner = () => selections(choices, depth - 1, fragment)
  const parts = Array.from({ length: 1 + next(3) }, () => {
    const kind = depth === 0 ? next(3) : next(11)
    if (kind === 0) return `${alias()}name`
    if (kind === 1) return `${alias()}tags`
    if (kind === 2) return '__typename'
    if (kind === 3) return `${alias()}one ${inner()}`
    if (kind === 4) return `${alias()}children ${inner()}`
    if (kind === 5) return `${alias()}grid { name ... on Node ${inner()} }`
    if (kind === 6) return `${alias()}items ${inner()}`
    if (kind === 7) return `${alias()}items(first: ${next(60) - 5}, other: $m) ${inner()}`
    if (kind === 8) return `${alias()}items(first: $${['n', 'm', 'z'][next(3)]}) ${inner()}`
    if (kind === 9) return `... on Named { ... on Node ${inner()} }`
    const later = FRAGMENTS.slice(fragment + 1)
    return later.length > 0 ? `...${later[next(later.length)]}` : 'name'
  })
  return `{ ${parts.join(' ')} }`
}

/** Fields that were resolved: each is a key of the result. */
function fieldsOf(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + fieldsOf(item), 0)
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce((sum: number, item) => sum + 1 + fieldsOf(item), 0)
}

function costOf(schema: GraphQLSchema, text: string, variables: Record<string, unknown> = {}): number {
  const document = parse(text)
  expect(validate(schema, document)).toEqual([])
  return new OperationCost(schema, document, getOperationAST(document)!).of(variables)
}

test('is at least the fields that graphql-js resolves, whatever the document and its variables', () => {
  const cases = ['fragments', 'variables', 'null', 'left out', 'literals', 'lists in lists', 'exact', 'more than 1,000']
  const statistics = new Statistics('costs', cases)
  const variable = fc.option(fc.oneof(fc.integer({ min: -3, max: 60 }), fc.constant(undefined)), { nil: null })
  fc.assert(
    fc.property(
      fc.array(fc.nat(1000), { minLength: 30, maxLength: 120 }),
      fc.record({ n: variable, m: variable }),
      (numbers, { n, m }) => {
        const choices = numbers.values()
        const variables = { ...(n !== undefined && { n }), ...(m !== undefined && { m }) }
        const text = `query ($n: Int = 5, $m: Int, $z: Int) ${selections(choices, 3)}
          ${FRAGMENTS.map((name, at) => `fragment ${name} on Node ${selections(choices, 1, at)}`).join('\n')}`
        const document = parse(text)
        const cost = new OperationCost(SCHEMA, document, getOperationAST(document)!).of(variables)
        // What costs too much is not run here either.
        if (cost > 100_000) return
        const result = execute({
          schema: SCHEMA,
          document,
          rootValue: {},
          variableValues: variables,
        }) as ExecutionResult
        expect(result.errors).toBeUndefined()
        const real = fieldsOf(result.data)
        expect(cost).toBeGreaterThanOrEqual(real)
        if (/\.\.\.[FGH]/.test(text)) statistics.count('fragments')
        if (/first: \$[nm]/.test(text)) statistics.count('variables')
        if (n === null && /first: \$n/.test(text)) statistics.count('null')
        if (/first: \$z/.test(text)) statistics.count('left out')
        if (/first: \d/.test(text)) statistics.count('literals')
        if (/grid/.test(text)) statistics.count('lists in lists')
        if (cost === real) statistics.count('exact')
        if (real > 1_000) statistics.count('more than 1,000')
      },
    ),
    { numRuns: 1_000 },
  )
  statistics.report()
})

test('is no more than what is resolved, where lists are as long as they may be', () => {
  const text =
    'query ($n: Int!) { name items(first: $n) { name one { name } items(first: 7) { name } children { name } } }'
  for (const n of [0, 1, 13, MAX_FIRST]) {
    const { data } = execute({
      schema: SCHEMA,
      document: parse(text),
      rootValue: {},
      variableValues: { n },
    }) as ExecutionResult
    expect(costOf(SCHEMA, text, { n })).toBe(fieldsOf(data))
  }
})

test('counts a field at most as often as its list may have items, whatever is asked for', () => {
  expect(costOf(SCHEMA, '{ items(first: 1000000) { name } }')).toBe(1 + MAX_FIRST)
  expect(costOf(SCHEMA, '{ items(first: null) { name } }')).toBe(1 + MAX_FIRST)
  expect(costOf(SCHEMA, '{ items { name } }')).toBe(1 + 3)
  expect(costOf(SCHEMA, '{ children { name } }')).toBe(1 + DEFAULT_LIST_SIZE)
})

test('of introspection is what it resolves, for the standard query as for any other', () => {
  const text = getIntrospectionQuery({ inputValueDeprecation: true, specifiedByUrl: true, schemaDescription: true })
  for (const schema of [SCHEMA, ownSchema]) {
    const real = fieldsOf((execute({ schema, document: parse(text) }) as ExecutionResult).data)
    expect(costOf(schema, text)).toBeGreaterThanOrEqual(real)
    expect(costOf(schema, text)).toBeLessThan(1.2 * real)
  }
  const nested = '{ __schema { types { fields { type { name ofType { name fields { name } } } } } } }'
  const real = fieldsOf((execute({ schema: ownSchema, document: parse(nested) }) as ExecutionResult).data)
  expect(costOf(ownSchema, nested)).toBeGreaterThanOrEqual(real)
  expect(costOf(ownSchema, nested)).toBeLessThan(1.5 * real)
})

const spreads = (levels: number, body: (next: string) => string) =>
  Array.from(
    { length: levels },
    (_, i) => `fragment F${i} on Node { ${i + 1 < levels ? body(`...F${i + 1}`) : 'name'} }`,
  ).join('\n')
const BOMBS = {
  'fragments that double': `{ ...F0 } ${spreads(100, (next) => `a: one { ${next} } b: one { ${next} }`)}`,
  'lists within lists': `{ ...F0 } ${spreads(100, (next) => `children { ${next} }`)}`,
  'lists by a variable within lists': `query ($n: Int) { ...F0 } ${spreads(100, (next) => `a: items(first: $n) { ${next} } b: items(first: $n) { ${next} }`)}`,
  'introspection with aliases': `{ __schema { types { ${Array.from({ length: 60 }, (_, i) => `a${i}: fields { ${Array.from({ length: 12 }, (_, k) => `b${k}: type { name }`).join(' ')} }`).join(' ')} } } }`,
}

test.each(Object.entries(BOMBS))('of %s is far beyond any limit, and is reckoned at once', async (_kind, text) => {
  const document = parse(text)
  const operation = getOperationAST(document)!
  const { reckoning, reading } = await bestMs(20, {
    reckoning: () => expect(new OperationCost(SCHEMA, document, operation).of({ n: MAX_FIRST })).toBeGreaterThan(5_000),
    reading: () => parse(text),
  })
  console.log(`reckoned in ${reckoning} ms, read in ${reading} ms`)
  expect(reckoning / reading).toBeLessThan(20)
})
