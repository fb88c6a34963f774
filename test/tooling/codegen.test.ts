import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import config from '../../codegen.ts'
import { staleFiles } from '../../scripts/check-codegen.ts'

const schema = readFileSync('schema.graphql', 'utf8')
const after = (change: (sdl: string) => string) => staleFiles({ ...config, schema: change(schema) })

test("the example client's types are those of schema.graphql", async () => {
  expect(await after((sdl) => sdl)).toEqual([])
})

test('a field renamed in the schema fails the check, and is named', async () => {
  await expect(after((sdl) => sdl.replace('  city: String!', '  town: String!'))).rejects.toThrow(
    'Cannot query field "city" on type "Order"',
  )
})

test("a field's type changed in the schema makes the generated types stale", async () => {
  expect(await after((sdl) => sdl.replace('  city: String!', '  city: Int!'))).toEqual([
    'examples/client/src/gql/graphql.ts',
    'web/src/gql/graphql.ts',
  ])
})
