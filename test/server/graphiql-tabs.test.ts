import { parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../src/resolvers/schema.ts'
import { GRAPHIQL_TABS } from '../../src/server/graphiql-tabs.ts'

test('what GraphiQL opens with fits the schema', () => {
  expect(GRAPHIQL_TABS.map(({ query }) => validate(schema, parse(query)))).toEqual(GRAPHIQL_TABS.map(() => []))
})
