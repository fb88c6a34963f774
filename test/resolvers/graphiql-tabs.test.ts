import { getOperationAST, getVariableValues, parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { GRAPHIQL_TABS } from '../../src/resolvers/graphiql-tabs.ts'
import { schema } from '../../src/resolvers/schema.ts'

test('each tab that GraphiQL opens with has one operation, which fits the schema with its variables', () => {
  for (const { query, variables = '{}' } of GRAPHIQL_TABS) {
    const document = parse(query)
    expect(validate(schema, document)).toEqual([])
    const { variableDefinitions = [] } = getOperationAST(document) ?? {}
    expect(getVariableValues(schema, variableDefinitions, JSON.parse(variables)).errors).toBeUndefined()
  }
})

test('there is a tab for each kind of question', () => {
  const names = GRAPHIQL_TABS.map(({ query }) => getOperationAST(parse(query))?.name?.value)
  expect(names).toEqual(['Live', 'Filtered', 'Table', 'Resumed', 'Recent', 'PlaceOrder'])
})
