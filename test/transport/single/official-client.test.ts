import { type Client, createClient, type ExecutionResult } from 'graphql-sse'
import { expect, onTestFinished, test } from 'vitest'
import { startTestGateway } from '../../kit/gateway.ts'
import { until } from '../../kit/until.ts'
import { probeSchema } from '../probe-schema.ts'

const ASIA = 'subscription { ordersByRegion(region: ASIA) { id } }'

/** Its requests are kept as method and status. */
function clientOf(
  url: string,
  options: { lazy?: boolean; retryAttempts?: number; headers?: Record<string, string> } = {},
) {
  const requests: string[] = []
  const client = createClient({
    url,
    singleConnection: true,
    retryAttempts: 0,
    retry: async () => {},
    fetchFn: async (input: RequestInfo | URL, init: RequestInit) => {
      const response = await fetch(input, init)
      requests.push(`${init.method} ${response.status}`)
      return response
    },
    ...options,
  })
  onTestFinished(() => client.dispose())
  return { client, requests }
}

/** Runs an operation, and gathers what the client is told of it. */
function run(client: Client<true>, query: string, extensions?: Record<string, unknown>) {
  const told = { results: [] as ExecutionResult[], error: undefined as unknown, complete: false, stop: () => {} }
  told.stop = client.subscribe(
    { query, ...(extensions && { extensions }) },
    {
      next: (result) => void told.results.push(result as ExecutionResult),
      error: (error) => {
        told.error = error
      },
      complete: () => {
        told.complete = true
      },
    },
  )
  return told
}

test('the official client runs many subscriptions over one connection, stops them, and leaves no trace', async () => {
  const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '100' } })
  const { client, requests } = clientOf(gateway.graphql)
  const asia = Array.from({ length: 20 }, () => run(client, ASIA))
  const europe = run(client, 'subscription { ordersByRegion(region: EUROPE) { id } }')
  await until('all run', async () => (await gateway.metric('sluice_subscribers')) === 21)
  expect(await gateway.metric('sluice_single_streams')).toBe(1)
  await gateway.produce({ id: 'a', region: 'ASIA' }, { id: 'b', region: 'EUROPE' }, { id: 'c', region: 'ASIA' })
  await until('all came', () => asia.every(({ results }) => results.length === 2) && europe.results.length === 1)
  for (const { results } of asia) {
    expect(results).toEqual([{ data: { ordersByRegion: { id: 'a' } } }, { data: { ordersByRegion: { id: 'c' } } }])
  }
  expect(requests.slice(0, 2)).toEqual(['PUT 201', 'GET 200'])
  for (const { stop } of asia) stop()
  await until('one runs', async () => (await gateway.metric('sluice_subscribers')) === 1)
  await gateway.produce({ id: 'd', region: 'EUROPE' })
  await until('it came', () => europe.results.length === 2)
  europe.stop()
  await until('the stream is gone', async () => (await gateway.metric('sluice_single_streams')) === 0)
  expect(await gateway.metric('sluice_subscribers')).toBe(0)
  expect(requests.filter((request) => request === 'POST 202')).toHaveLength(21)
  expect(requests.filter((request) => request === 'DELETE 200').length).toBeGreaterThanOrEqual(20)
  expect([...asia, europe].map(({ error }) => error)).toEqual(Array.from({ length: 21 }))
})

test('queries, mutations and finite subscriptions complete in the official client', async () => {
  const gateway = await startTestGateway({ schema: probeSchema().schema })
  const { client } = clientOf(gateway.graphql)
  const all = ['{ hello }', 'mutation { shout(text: "hey") }', 'subscription { count(to: 3) }'].map((query) =>
    run(client, query),
  )
  await until('all are complete', () => all.every(({ complete }) => complete))
  expect(all.map(({ results }) => results.map(({ data }) => data))).toEqual([
    [{ hello: 'world' }],
    [{ shout: 'HEY' }],
    [{ count: 1 }, { count: 2 }, { count: 3 }],
  ])
})

test('an operation that is refused fails alone: the others go on', async () => {
  const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '100' } })
  const { client, requests } = clientOf(gateway.graphql, { lazy: false })
  const good = run(client, ASIA)
  await until('it runs', async () => (await gateway.metric('sluice_subscribers')) === 1)
  const bad = run(client, 'subscription { nope }')
  await until('it is refused', () => bad.error !== undefined)
  expect(String(bad.error)).toContain('400')
  await gateway.produce({ id: 'a', region: 'ASIA' })
  await until('the order came', () => good.results.length === 1)
  expect([good.error, requests.filter((request) => request.startsWith('PUT'))]).toEqual([undefined, ['PUT 201']])
})

test('heartbeats do not disturb it, and positions come in results to who asks', async () => {
  const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '100' } })
  const { client } = clientOf(gateway.graphql)
  const told = run(client, ASIA, { cursor: true })
  await until('it runs', async () => (await gateway.metric('sluice_subscribers')) === 1)
  await gateway.produce({ region: 'EUROPE' })
  await until('the position moved', () => told.results.length > 0)
  expect(told.results[0]).toEqual({ extensions: { cursor: expect.any(String) } })
  await gateway.produce({ id: 'a', region: 'ASIA' })
  await until('the order came', () => told.results.some(({ data }) => data))
  expect(told.error).toBeUndefined()
})

test.each([
  ['reserves anew', 3, undefined],
  // The client puts its token into the object that it was given. With several operations it would mix up their tokens.
  ['reserves anew, with its old token in the request', 1, {}],
])('after a restart it %s, and its subscriptions go on', async (_what, count, headers) => {
  const first = await startTestGateway()
  const port = new URL(first.graphql).port
  const { client, requests } = clientOf(first.graphql, { retryAttempts: 1000, ...(headers && { headers }) })
  const all = Array.from({ length: count }, () => run(client, ASIA))
  await until('all run', async () => (await first.metric('sluice_subscribers')) === count)
  await first.produce({ id: 'a', region: 'ASIA' })
  await until('it came', () => all.every(({ results }) => results.length === 1))
  await first.close()
  const second = await startTestGateway({ env: { PORT: port } })
  await until('all run again', async () => (await second.metric('sluice_subscribers')) === count)
  await second.produce({ id: 'b', region: 'ASIA' })
  await until('it came', () => all.every(({ results }) => results.length === 2))
  expect(all.filter(({ error }) => error)).toEqual([])
  // Or 503, when it comes too early.
  expect(requests.filter((request) => request.startsWith('PUT') && !/201|503/.test(request))).toEqual([])
})

/** The loop of docs/clients/single-connection.md. */
async function* resuming(client: Client<true>, query: string): AsyncGenerator<ExecutionResult> {
  let cursor: unknown
  for (;;) {
    try {
      const extensions = { cursor: true, markers: true, lastEventId: cursor }
      for await (const result of client.iterate({ query, extensions })) {
        cursor = (result.extensions as { cursor?: string } | undefined)?.cursor ?? cursor
        if (result.data || result.errors) yield result as ExecutionResult
      }
      return
    } catch (error) {
      if ((error as { response?: Response }).response?.status === 400) throw error
      await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 50))
    }
  }
}

test('with a loop around it, each operation goes on where it was: over the ends of its streams, nothing lost or twice', async () => {
  const gateway = await startTestGateway({ env: { STREAM_MAX_AGE_MS: '300', HEARTBEAT_MS: '100' } })
  const { client, requests } = clientOf(gateway.graphql)
  const regions = ['ASIA', 'EUROPE', 'AFRICA'] as const
  const got = Object.fromEntries(regions.map((region) => [region, [] as string[]]))
  const runs = regions.map(async (region) => {
    for await (const { data } of resuming(client, `subscription { ordersByRegion(region: ${region}) { id } }`)) {
      const { id } = (data as { ordersByRegion: { id: string } }).ordersByRegion
      got[region]?.push(id)
      if (id === 'end') return
    }
  })
  await until('all run', async () => (await gateway.metric('sluice_subscribers')) === 3)
  const expected: string[] = []
  for (let n = 0; requests.filter((request) => request === 'PUT 201').length < 6; n++) {
    expected.push(`${n}`)
    // AFRICA is quiet.
    await gateway.produce({ id: `${n}`, region: 'ASIA' }, { id: `${n}`, region: 'EUROPE' })
    await until('the gateway has read them', async () => (await gateway.metric('sluice_events_total')) >= 2 * (n + 1))
  }
  await gateway.produce(...regions.map((region) => ({ id: 'end', region })))
  await Promise.all(runs)
  expected.push('end')
  expect(got).toEqual({ ASIA: expected, EUROPE: expected, AFRICA: ['end'] })
})
