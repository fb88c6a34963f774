import SchemaBuilder from '@pothos/core'
import { GraphQLSchema } from 'graphql'
import { createSchema, createYoga } from 'graphql-yoga'
import { expect, test } from 'vitest'

/** Guards `ssr.resolve.conditions` in vitest.config.ts: two copies of graphql reject each other's schemas. */
test('Pothos, Yoga and a test share one copy of graphql', async () => {
  const builder = new SchemaBuilder({} as never)
  builder.queryType({ fields: (t) => ({ one: t.int({ resolve: () => 1 }) }) })
  const schema = builder.toSchema()
  expect(schema).toBeInstanceOf(GraphQLSchema)
  expect(createSchema({ typeDefs: 'type Query { one: Int }' })).toBeInstanceOf(GraphQLSchema)

  const answer = await createYoga({ schema, logging: false }).fetch('http://gateway/graphql?query={one}')
  expect(await answer.json()).toEqual({ data: { one: 1 } })
})
