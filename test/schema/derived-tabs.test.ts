import fc from 'fast-check'
import { buildSchema, coerceInputValue, type GraphQLSchema, parse, typeFromAST, validate } from 'graphql'
import { expect, test } from 'vitest'
import { ordersGateway } from '../../src/orders-gateway.ts'
import { derivedTabs } from '../../src/schema/derived-tabs.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { Statistics } from '../kit/statistics.ts'

/** The faults of all tabs of a schema: of their documents, and of the values of their variables. */
function faultsOf(schema: GraphQLSchema): string[] {
  return derivedTabs(schema).flatMap(({ query, variables = '{}' }) => {
    const document = parse(query)
    const values = JSON.parse(variables) as Record<string, unknown>
    const faults = validate(schema, document).map(({ message }) => message)
    for (const definition of document.definitions) {
      if (definition.kind !== 'OperationDefinition') continue
      for (const { variable, type } of definition.variableDefinitions ?? []) {
        const input = typeFromAST(schema, type)
        if (coerceInputValue(values[variable.name.value], input as never) === undefined)
          faults.push(`${variable.name.value} takes no ${JSON.stringify(values[variable.name.value])}`)
      }
    }
    return faults.map((fault) => `${fault}\n${query}`)
  })
}

test('the tabs that the schema of the orders gateway gives are valid, one for each kind of question', () => {
  expect(faultsOf(ordersGateway.schema)).toEqual([])
  const names = derivedTabs(ordersGateway.schema).map(
    ({ query }) => /^(?:query|mutation|subscription) (\w+)/m.exec(query)?.[1],
  )
  expect(names).toEqual(['Live', 'Filtered', 'Table', 'Resumed', 'Now', 'Change'])
  expect(derivedTabs(ordersGateway.schema)[0]?.query).not.toContain('customer') // which needs a scope
})

const LEAVES = ['ID', 'String', 'Int', 'Float', 'Boolean', 'Color', 'Json']
const name = (at: number) => `T${at}`
const wrapped = fc.constantFrom('X', 'X!', '[X]', '[X!]!')

const arbitraryField = (types: readonly string[], at: number) =>
  fc
    .record({
      type: fc.constantFrom(...types),
      wrap: wrapped,
      deprecated: fc.boolean(),
      arg: fc.option(fc.tuple(fc.constantFrom('ID', 'Int', 'Color', 'In', 'Deep'), wrapped), { nil: undefined }),
    })
    .map(({ type, wrap, deprecated, arg }) => {
      const args = arg ? `(a: ${arg[1].replace('X', arg[0])})` : ''
      return `f${at}${args}: ${wrap.replace('X', type)}${deprecated ? ' @deprecated' : ''}`
    })

/** Schemas whose types name each other, also in circles. */
const arbitrarySchema = fc.integer({ min: 1, max: 5 }).chain((count) => {
  const objects = Array.from({ length: count }, (_, at) => name(at))
  const all = [...LEAVES, ...objects, 'U', 'I']
  const fields = fc
    .integer({ min: 1, max: 4 })
    .chain((size) => fc.tuple(...Array.from({ length: size }, (_, at) => arbitraryField(all, at))))
  const type = (kind: string) => fields.map((each) => `type ${kind} {\n${each.join('\n')}\n}`)
  return fc
    .tuple(
      ...objects.map((each) => fields.map((own) => `type ${each} implements I { id: ID!\n${own.join('\n')} }`)),
      type('Query'),
      type('Subscription'),
      type('Mutation'),
    )
    .map((types) =>
      [
        ...types,
        `union U = ${objects.join(' | ')}`,
        'interface I { id: ID! }',
        'scalar Json',
        'enum Color { RED GREEN }',
        'input In { a: Int! b: [Color!]! c: Deep }',
        'input Deep { d: In! e: Float! }'.replace('d: In!', 'd: In'),
      ].join('\n'),
    )
})

test('the tabs of any schema are valid', () => {
  const seen = new Statistics('derived tabs', ['tabs', 'a union', 'variables'])
  fc.assert(
    fc.property(arbitrarySchema, (text) => {
      const schema = buildSchema(text)
      const tabs = derivedTabs(schema)
      if (tabs.length > 0) seen.count('tabs')
      if (tabs.some(({ query }) => query.includes('... on'))) seen.count('a union')
      if (tabs.some(({ variables }) => variables !== undefined)) seen.count('variables')
      expect(faultsOf(schema)).toEqual([])
    }),
    { numRuns: 300 },
  )
  seen.report()
})

test('GraphiQL of a gateway without tabs of its own opens with those of its schema', async () => {
  const { url } = await startTestGateway({ schema: ordersGateway.schema, topics: ordersGateway.topics })
  const tabs = (await (await fetch(`${url}/graphiql/tabs.json`)).json()) as { query: string }[]
  expect(tabs[0]?.query).toContain('subscription Live')
})
