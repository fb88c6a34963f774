import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { prices } from '../../examples/table/prices.ts'
import { type Item, Rows } from '../../examples/table/rows.ts'
import { topics } from '../../src/resolvers/schema.ts'
import { builder } from '../../src/schema/types/builder.ts'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import { blocksOf } from '../docs/blocks.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'

test('docs/tables.md shows the files of examples/table as they are', () => {
  const shown = blocksOf('docs/tables.md', 'ts').map(({ text }) => text)
  const files = globSync('examples/table/*.ts')
  expect(files).toHaveLength(2)
  for (const file of files) expect(shown).toContain(`// ${file}\n${readFileSync(file, 'utf8')}`)
})

test('a client that takes the items one by one has the rows of the table', async () => {
  const embedded = createEmbeddedLog()
  for (const { name } of [...topics, prices]) embedded.createTopic(name, 1)
  const put = (key: string, amount: string | null) =>
    embedded.sink.send('prices', [{ key, value: amount && JSON.stringify({ currency: 'EUR', amount }) }])
  await put('a', '1.00')
  await put('b', '2.00')
  const gateway = await startTestGateway({ schema: builder.toSchema(), topics: [...topics, prices], embedded })
  const stream = await RawStream.subscribe(gateway.graphql, 'subscription { prices { op key row { amount } } }')
  const begin = await stream.untilResults(4)
  const rows = new Rows<{ amount: string }>()
  const take = ({ data }: { data?: Record<string, unknown> | null }) =>
    rows.take(data?.prices as Item<{ amount: string }>)
  for (const result of begin.slice(0, 3)) take(result)
  expect(rows.isReady).toBe(false)
  take(begin[3] as (typeof begin)[number])
  expect(rows.isReady).toBe(true)
  expect([...rows.byKey]).toEqual([
    ['a', { amount: '1.00' }],
    ['b', { amount: '2.00' }],
  ])
  await put('a', '3.00')
  await put('b', null)
  for (const result of (await stream.untilResults(6)).slice(4)) take(result)
  expect([...rows.byKey]).toEqual([['a', { amount: '3.00' }]])
})
