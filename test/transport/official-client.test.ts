import { createClient, type ExecutionResult } from 'graphql-sse'
import { expect, onTestFinished, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'
import { probeSchema } from './probe-schema.ts'

function clientOf(url: string) {
  const client = createClient({ url, retryAttempts: 0 })
  onTestFinished(() => client.dispose())
  return client
}

/** Runs an operation, and gathers what the client is told of it. */
function run(url: string, query: string, variables?: Record<string, unknown>) {
  const told = { results: [] as ExecutionResult[], error: undefined as unknown, complete: false, stop: () => {} }
  told.stop = clientOf(url).subscribe(
    { query, ...(variables && { variables }) },
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

test('the official client subscribes, gets what matches in order, and leaves no trace when it stops', async () => {
  const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '100' } })
  const told = run(gateway.graphql, 'subscription ($region: Region!) { ordersByRegion(region: $region) { id } }', {
    region: 'ASIA',
  })
  await until('it is subscribed', async () => (await gateway.metric('sluice_subscribers')) === 1)
  await gateway.produce({ id: 'a', region: 'ASIA' }, { id: 'b' }, { id: 'c', region: 'ASIA' })
  await until('both came', () => told.results.length === 2)
  expect(told.results).toEqual([{ data: { ordersByRegion: { id: 'a' } } }, { data: { ordersByRegion: { id: 'c' } } }])
  told.stop()
  await until('the gateway has let it go', async () => (await gateway.metric('sluice_subscribers')) === 0)
  expect([told.error, told.complete]).toEqual([undefined, true])
})

test('heartbeats do not disturb the official client', async () => {
  const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '100' } })
  const told = run(gateway.graphql, 'subscription { ordersByRegion(region: ASIA) { id } }')
  await until('it is subscribed', async () => (await gateway.metric('sluice_subscribers')) === 1)
  const written = await gateway.metric('sluice_writes_total')
  await until('five heartbeats went out', async () => (await gateway.metric('sluice_writes_total')) >= written + 5)
  await gateway.produce({ id: 'a', region: 'ASIA' })
  await until('the order came', () => told.results.length === 1)
  expect(told.error).toBeUndefined()
})

test('a finite subscription completes in the official client', async () => {
  const gateway = await startTestGateway({ schema: probeSchema().schema })
  const told = run(gateway.graphql, 'subscription { count(to: 3) }')
  await until('it is complete', () => told.complete)
  expect(told.results.map(({ data }) => data)).toEqual([{ count: 1 }, { count: 2 }, { count: 3 }])
})

test('queries and mutations give the official client one result', async () => {
  const gateway = await startTestGateway({ schema: probeSchema().schema })
  const query = run(gateway.graphql, '{ hello }')
  const mutation = run(gateway.graphql, 'mutation { shout(text: "hey") }')
  await until('both are complete', () => query.complete && mutation.complete)
  expect([query.results, mutation.results]).toEqual([[{ data: { hello: 'world' } }], [{ data: { shout: 'HEY' } }]])
})

test.each([
  ['a syntax error', 'subscription {', undefined, 'GRAPHQL_PARSE_FAILED'],
  ['an unknown field', 'subscription { nope }', undefined, 'GRAPHQL_VALIDATION_FAILED'],
  ['a wrong variable', 'subscription ($to: Int!) { count(to: $to) }', { to: 'x' }, 'BAD_USER_INPUT'],
  ['a source that cannot start', 'subscription { refuses }', undefined, 'INTERNAL_SERVER_ERROR'],
])(
  '%s reaches the official client as a result with errors, which it does not retry',
  async (_what, query, variables, code) => {
    const gateway = await startTestGateway({ schema: probeSchema().schema })
    const told = run(gateway.graphql, query, variables)
    await until('it is complete', () => told.complete)
    expect(told.error).toBeUndefined()
    expect(told.results.map(({ errors }) => errors?.[0]?.extensions?.code)).toEqual([code])
  },
)

test('the official client comes back by itself after a stream that ended without complete', async () => {
  const gateway = await startTestGateway()
  let attempts = 0
  const client = createClient({
    url: gateway.graphql,
    retryAttempts: 1,
    retry: async () => {},
    headers: () => {
      attempts++
      return {}
    },
  })
  onTestFinished(() => client.dispose())
  const errors: unknown[] = []
  client.subscribe(
    { query: 'subscription { ordersByRegion(region: ASIA) { id } }' },
    { next: () => {}, error: (each) => void errors.push(each), complete: () => {} },
  )
  await until('it is subscribed', async () => (await gateway.metric('sluice_subscribers')) === 1)
  await gateway.close()
  await until('it has tried again, in vain', () => errors.length > 0)
  expect(attempts).toBe(2)
})
