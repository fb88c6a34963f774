import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { anOrder, startTestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'

const DOCUMENTS = ['README.md', ...globSync('docs/**/*.md')]
/** An operation, and a block of JSON right after it: its variables. */
const OPERATION = /^```graphql\n(.*?)^```\n(?:```json\n(.*?)^```\n)?/gms

const operations = DOCUMENTS.flatMap((file) =>
  Array.from(
    readFileSync(file, 'utf8').matchAll(OPERATION),
    ([, query = '', variables], i) => [i + 1, file, query, variables] as const,
  ),
)

test('the documents show operations', () => {
  expect(operations.length).toBeGreaterThan(5)
})

test.each(operations)('operation %i of %s is answered', async (_number, _file, query, text) => {
  const gateway = await startTestGateway({ env: { ANONYMOUS_SCOPES: 'orders:write' } })
  await gateway.produce(anOrder())
  const variables = text === undefined ? undefined : (JSON.parse(text) as object)
  if (!query.includes('subscription')) {
    const response = await fetch(gateway.graphql, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    })
    const { data, errors } = (await response.json()) as { data?: unknown; errors?: unknown }
    expect(errors).toBeUndefined()
    expect(data).toBeTruthy()
    return
  }
  const stream = await RawStream.subscribe(gateway.graphql, query, { ...(variables && { variables }) })
  await stream.untilBlocks(1)
  expect(stream.results.flatMap(({ errors = [] }) => errors)).toEqual([])
  await until('the stream is open', () => gateway.engine.subscribers === 1)
})
