import { printSchema } from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../src/resolvers/schema.ts'
import { folderOf, GATEWAY, sluice } from './sluice.ts'

test('schema --against says what changes since a released schema, and ends with 1 where its clients break', async () => {
  const present = printSchema(schema)
  const cwd = folderOf({
    'gateway.ts': GATEWAY,
    'same.graphql': present,
    'more.graphql': present.replace('type Location {', 'type Location {\n  altitude: Float'),
    'less.graphql': present.replace('  SOUTH_AMERICA\n', ''),
    'none.graphql': 'type',
  })
  const against = (file: string) => sluice(['schema', '--against', file], { cwd })
  expect(await against('same.graphql')).toMatchObject({ code: 0, out: expect.stringMatching(/^Changes since .*: 0 b/) })
  expect(await against('less.graphql')).toMatchObject({ code: 0, out: expect.stringMatching(/^Dangerous: Enum value/) })
  const broken = await against('more.graphql')
  expect(broken).toMatchObject({ code: 1, out: expect.stringMatching(/^Breaking: Field 'altitude' was removed/) })
  expect(await against('none.graphql')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^The released schema is none/),
  })
})
