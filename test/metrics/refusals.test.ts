import { expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { type RawRequest, RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'
import { SingleClient } from '../transport/single/client.ts'

const STREAM = { accept: 'text/event-stream' }
const post = (body: unknown, headers: Record<string, string> = {}): RawRequest => ({ method: 'POST', body, headers })

/** Refused requests of each way in, by the code that they are answered. */
const REQUESTS: readonly (readonly [code: string, request: RawRequest])[] = [
  ['GRAPHQL_PARSE_FAILED', post({ query: '{' })],
  ['GRAPHQL_PARSE_FAILED', post({ query: '{' }, STREAM)],
  ['GRAPHQL_PARSE_FAILED', post({ query: '{' }, { accept: 'multipart/mixed;subscriptionSpec=1.0' })],
  ['GRAPHQL_VALIDATION_FAILED', post({ query: '{ nothing }' })],
  ['GRAPHQL_VALIDATION_FAILED', { search: '?query={nothing}', headers: STREAM }],
  ['BAD_USER_INPUT', post({ query: 'query ($n: Int!) { recentOrders(last: $n) { id } }' })],
  ['BAD_USER_INPUT', post({ query: 'subscription { orders(last: -1) { id } }' }, STREAM)],
  ['CURSOR_INVALID', post({ query: 'subscription { orders(after: "x") { id } }' }, STREAM)],
  ['OPERATION_NAME_INVALID', post({ query: '{ __typename }', operationName: 'Other' })],
  [
    'PERSISTED_QUERY_NOT_SUPPORTED',
    post({ extensions: { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } } }),
  ],
  ['SUBSCRIPTION_NEEDS_SSE', post({ query: 'subscription { orders { id } }' }, { accept: 'application/json' })],
  ['NOT_ACCEPTABLE', post({ query: '{ __typename }' }, { accept: 'image/png' })],
  ['METHOD_NOT_ALLOWED', { method: 'PATCH' }],
  ['STREAM_NOT_FOUND', { method: 'DELETE' }],
  ['STREAM_NOT_FOUND', { headers: { ...STREAM, 'x-graphql-event-stream-token': 'test.unknown' } }],
  ['UNSUPPORTED_MEDIA_TYPE', { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } }],
  ['BAD_REQUEST', post('{"query"')],
]

async function refusalsOf(gateway: TestGateway): Promise<Map<string, number>> {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  const found = text.matchAll(/^sluice_refusals_total\{code="(\w+)".*\} (\d+)$/gm)
  return new Map([...found].map(([, code, count]) => [code as string, Number(count)]))
}

/** What was counted since, without the codes of which nothing was. */
async function newRefusals(gateway: TestGateway, before: ReadonlyMap<string, number>): Promise<object> {
  const after = await refusalsOf(gateway)
  const news = [...after].map(([code, count]) => [code, count - (before.get(code) ?? 0)] as const)
  return Object.fromEntries(news.filter(([, count]) => count !== 0))
}

test.each(REQUESTS)('%s is counted once: %j', async (code, request) => {
  const gateway = await startTestGateway()
  const before = await refusalsOf(gateway)
  expect([...before.values()].every((count) => count === 0)).toBe(true)
  const answer = await RawStream.answer(gateway.graphql, request)
  expect(answer.body).toContain(code)
  expect(await newRefusals(gateway, before)).toEqual({ [code]: 1 })
})

test('what is answered and run is no refusal, also where its result has errors', async () => {
  const gateway = await startTestGateway()
  const before = await refusalsOf(gateway)
  await RawStream.answer(gateway.graphql, post({ query: '{ recentOrders { id } }' }))
  const stream = await RawStream.subscribe(gateway.graphql, 'subscription { orders { id } }')
  await gateway.produce({})
  await stream.untilResults(1)
  expect(await newRefusals(gateway, before)).toEqual({})
})

test('an operation of a stream in single connection mode, a full gateway, and bytes that are no request', async () => {
  const gateway = await startTestGateway({ env: { MAX_STREAMS: '1' } })
  const before = await refusalsOf(gateway)
  const client = await SingleClient.open(gateway.graphql)
  await client.ask(post({ query: '{ nothing }', extensions: { operationId: '1' } }))
  expect(await newRefusals(gateway, before)).toEqual({ GRAPHQL_VALIDATION_FAILED: 1 })
  await RawStream.answer(gateway.graphql, post({ query: 'subscription { orders { id } }' }, STREAM))
  // To a native EventSource: 200, and `retry:`.
  await RawStream.answer(gateway.graphql, { search: '?query=subscription{orders{id}}', headers: STREAM })
  const broken = await RawStream.write(gateway.url, 'no request\r\n\r\n')
  await until('it is answered', () => broken.ended)
  expect(await newRefusals(gateway, before)).toEqual({
    GRAPHQL_VALIDATION_FAILED: 1,
    TOO_MANY_STREAMS: 2,
    BAD_REQUEST: 1,
  })
})
