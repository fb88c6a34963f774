import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import config from '../../codegen.ts'
import { staleFiles } from '../../scripts/check-codegen.ts'

const schema = readFileSync('schema.graphql', 'utf8')
const after = (change: (sdl: string) => string) => staleFiles({ ...config, schema: change(schema) })

test("the examples' types are those of schema.graphql", async () => {
  expect(await after((sdl) => sdl)).toEqual([])
})

test('a field renamed in the schema fails the check, and is named', async () => {
  await expect(after((sdl) => sdl.replace('  city: String!', '  town: String!'))).rejects.toThrow(
    'Cannot query field "city" on type "Order"',
  )
})

test("a field's type changed in the schema makes the generated types stale", async () => {
  const stale = await after((sdl) => sdl.replace('  city: String!', '  city: Int!'))
  const examples = ['client', 'urql', 'apollo', 'react', 'graphql-sse']
  expect(stale).toEqual(
    expect.arrayContaining(
      [...examples.map((name) => `examples/${name}`), 'web'].map((path) => `${path}/src/gql/graphql.ts`),
    ),
  )
})
