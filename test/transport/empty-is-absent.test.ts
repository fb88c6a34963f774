import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { type RawRequest, RawStream } from '../kit/raw-stream.ts'
import { Statistics } from '../kit/statistics.ts'
import { until } from '../kit/until.ts'
import { SingleClient } from './single/client.ts'

const STREAM = { accept: 'text/event-stream' }
const QUERY = '{ __typename }'
const ORDERS = 'subscription { orders { id } }'

const search = (parameters: Record<string, string>) => `?${new URLSearchParams(parameters)}`

/** What may be empty, by each way in. */
const OF_BODY: Record<string, unknown> = {
  operationName: '',
  variables: '',
  documentId: '',
  extensions: '',
}
const OF_EXTENSIONS: Record<string, unknown> = {
  lastEventId: '',
  cursor: '',
  markers: '',
  persistedQuery: '',
}
const OF_URL: Record<string, string> = {
  operationName: '',
  variables: '',
  extensions: '',
  documentId: '',
  lastEventId: '',
  token: '',
}
const OF_HEADERS: Record<string, string> = {
  'last-event-id': '',
  'x-graphql-event-stream-token': '',
  accept: '',
}

const some = <T>(all: Record<string, T>) =>
  fc.subarray(Object.keys(all)).map((names) => Object.fromEntries(names.map((name) => [name, all[name] as T])))

test('whatever is empty in a request, it is answered as without it', async () => {
  const gateway = await startTestGateway()
  const statistics = new Statistics('Requests', ['by POST', 'by GET', 'a query', 'a stream', 'with headers'])
  const request = fc.record({
    method: fc.constantFrom('POST', 'GET'),
    isStream: fc.boolean(),
    body: some(OF_BODY),
    extensions: some(OF_EXTENSIONS),
    url: some(OF_URL),
    headers: some(OF_HEADERS),
  })
  await fc.assert(
    fc.asyncProperty(request, async ({ method, isStream, body, extensions, url, headers }) => {
      statistics.count(method === 'GET' ? 'by GET' : 'by POST')
      statistics.count(isStream ? 'a stream' : 'a query')
      statistics.count('with headers', Number(Object.keys(headers).length > 0))
      const query = isStream ? ORDERS : QUERY
      const all = { ...headers, ...(isStream && STREAM) }
      const sent: RawRequest =
        method === 'GET'
          ? {
              search: search({
                ...url,
                query,
                ...(!('extensions' in url) && { extensions: JSON.stringify(extensions) }),
              }),
              headers: all,
            }
          : {
              method,
              search: search({ token: '', lastEventId: '' }),
              headers: all,
              body: { extensions, ...body, query },
            }
      const stream = await RawStream.send(gateway.graphql, sent)
      await (isStream ? stream.untilBlocks(1) : stream.untilWhole())
      const found = isStream ? Object.keys(stream.blocks[0] ?? {}).includes('id') : stream.body
      expect([stream.status, found], JSON.stringify(sent)).toEqual([
        200,
        isStream ? true : '{"data":{"__typename":"Query"}}',
      ])
      await stream.close()
    }),
    { numRuns: 60 },
  )
  statistics.report()
})

test.each(['DELETE', 'GET', 'POST'])('an empty token is none: by %s there is no stream of several', async (method) => {
  const gateway = await startTestGateway()
  const headers = { ...STREAM, 'x-graphql-event-stream-token': '' }
  const answer = await RawStream.answer(gateway.graphql, { method, search: '?token=&operationId=1', headers })
  expect(answer.status).toBe(method === 'DELETE' ? 404 : method === 'GET' ? 400 : 415)
})

test('beside an empty token the other one counts', async () => {
  const gateway = await startTestGateway()
  const client = await SingleClient.reserve(gateway.graphql)
  const stopped = await client.ask({ method: 'DELETE', search: '?token=&operationId=1' })
  expect(stopped.status).toBe(200)
})

test('a stream of several opens with parameters that are all empty', async () => {
  const gateway = await startTestGateway()
  for (const request of [
    { search: '?query=&operationName=&variables=&extensions=&documentId=' },
    { method: 'POST', body: { query: '', documentId: '', extensions: '', variables: '', operationName: '' } },
  ]) {
    const client = await SingleClient.reserve(gateway.graphql)
    const stream = await RawStream.send(gateway.graphql, {
      ...request,
      headers: { ...STREAM, 'x-graphql-event-stream-token': client.token },
    })
    await stream.untilBlocks(1)
    expect(stream.status).toBe(200)
    await stream.close()
  }
})

test('an operation on a stream of several may have what is empty', async () => {
  const gateway = await startTestGateway()
  const client = await SingleClient.open(gateway.graphql)
  const extensions = { operationId: '1', lastEventId: '', cursor: '', markers: '', persistedQuery: '' }
  const body = { query: ORDERS, operationName: '', variables: '', documentId: '', extensions }
  expect((await client.ask({ method: 'POST', body })).status).toBe(202)
  await gateway.produce({ id: 'a' })
  expect(await client.untilTold(1, '1')).toMatchObject([{ payload: { data: { orders: { id: 'a' } } } }])
})

test('an operation id that is empty is missing', async () => {
  const gateway = await startTestGateway()
  const client = await SingleClient.open(gateway.graphql)
  expect((await client.start('', ORDERS)).json.errors[0].extensions.code).toBe('BAD_REQUEST')
})

/** Each way of writing a position that is none. */
const AFTERS: readonly (readonly [string, string, Record<string, unknown> | undefined])[] = [
  ['none', 'subscription { orders { id } }', undefined],
  ['a literal', 'subscription { orders(after: "") { id } }', undefined],
  ['a block literal', 'subscription { orders(after: """""") { id } }', undefined],
  ['null', 'subscription { orders(after: null) { id } }', undefined],
  ['a variable', 'subscription ($after: Cursor) { orders(after: $after) { id } }', { after: '' }],
  ['a variable that is null', 'subscription ($after: Cursor) { orders(after: $after) { id } }', { after: null }],
  ['a variable that is absent', 'subscription ($after: Cursor) { orders(after: $after) { id } }', {}],
  ["a variable's default", 'subscription ($after: Cursor = "") { orders(after: $after) { id } }', {}],
]

/** Runs each, and returns the ids that came to it. */
async function runAll(gateway: TestGateway): Promise<RawStream[]> {
  const streams: RawStream[] = []
  for (const [, query, variables] of AFTERS) {
    const stream = await RawStream.subscribe(gateway.graphql, query, variables && { variables })
    await stream.untilBlocks(1)
    streams.push(stream)
  }
  return streams
}

test('an empty position is none, however it is written, and all who say so are one group', async () => {
  const gateway = await startTestGateway()
  await gateway.produce({ id: 'before' })
  await until('it was read', async () => (await gateway.metric('sluice_events_total')) === 1)
  const streams = await runAll(gateway)
  expect(await gateway.metric('sluice_groups')).toBe(1)
  await gateway.produce({ id: 'a' })
  for (const stream of streams) expect(await stream.untilResults(1)).toEqual([{ data: { orders: { id: 'a' } } }])
})

test('beside an empty position the other start counts, and Last-Event-ID', async () => {
  const gateway = await startTestGateway()
  await gateway.produce({ id: 'before' })
  await until('it was read', async () => (await gateway.metric('sluice_events_total')) === 1)
  for (const args of ['after: "", last: 1', 'after: "", since: "2020-01-01T00:00:00Z"']) {
    const stream = await RawStream.subscribe(gateway.graphql, `subscription { orders(${args}) { id } }`)
    expect(await stream.untilResults(1)).toEqual([{ data: { orders: { id: 'before' } } }])
  }
})

test('a table takes an empty position for none', async () => {
  const gateway = await startTestGateway()
  const query = 'subscription { regionSales(after: "") { op } }'
  const stream = await RawStream.subscribe(gateway.graphql, query)
  expect((await stream.untilResults(1))[0]).toEqual({ data: { regionSales: { op: 'RESET' } } })
})

test('a ticket carries what is absent, and its URL what is empty', async () => {
  const gateway = await startTestGateway({ env: { TICKET_SECRET: 'a-secret-of-thirty-two-characters!' } })
  const { ticket } = (
    await RawStream.answer(`${gateway.url}/ticket`, {
      method: 'POST',
      body: { query: ORDERS, operationName: '', variables: '', extensions: '' },
    })
  ).json
  for (const parameters of [
    {},
    { query: '', operationName: '', variables: '', extensions: '', documentId: '', lastEventId: '', token: '' },
    { query: ORDERS, operationName: '', extensions: '' },
  ]) {
    const stream = await RawStream.send(gateway.graphql, { search: search({ ticket, ...parameters }), headers: STREAM })
    await stream.untilBlocks(1)
    expect([stream.status, stream.results]).toEqual([200, []])
    await stream.close()
  }
})
