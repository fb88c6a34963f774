import { expect, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'

/** Nothing listens there. */
const NO_KAFKA = { env: { KAFKA_BROKERS: '127.0.0.1:1' } }
const QUERY = 'subscription { ordersByRegion(region: EUROPE) { id } }'
const STREAM = { accept: 'text/event-stream' }

test('table, the gateway is not ready: a POST is answered 503 with Retry-After and the reason', async () => {
  const gateway = await startTestGateway(NO_KAFKA)
  const answer = await RawStream.answer(gateway.graphql, { method: 'POST', headers: STREAM, body: { query: QUERY } })
  expect(answer.status).toBe(503)
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  expect(answer.headers['access-control-allow-origin']).toBe('*')
  expect(answer.json.errors).toEqual([
    { message: expect.stringMatching(/^The gateway is not ready: \S/), extensions: { code: 'NOT_READY' } },
  ])
})

test('table, the gateway is not ready: a GET, as of a native EventSource, gets 200, a retry and the end', async () => {
  const gateway = await startTestGateway(NO_KAFKA)
  const search = `?query=${encodeURIComponent(QUERY)}`
  const stream = await RawStream.answer(gateway.graphql, { search, headers: STREAM })
  expect([stream.status, stream.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8'])
  expect(stream.body).toMatch(/^retry: [1-9]\d{2,4}\n\n$/)
})

test('table, the gateway is not ready: the waits that clients are given differ, so that they do not come at once', async () => {
  const gateway = await startTestGateway(NO_KAFKA)
  const search = `?query=${encodeURIComponent(QUERY)}`
  const waits = new Set<string | undefined>()
  for (let count = 0; count < 10; count++) {
    const stream = await RawStream.answer(gateway.graphql, { search, headers: STREAM })
    waits.add(stream.blocks[0]?.retry)
  }
  expect(waits.size).toBeGreaterThan(3)
})

test('a wrong operation is told so also while the gateway is not ready', async () => {
  const gateway = await startTestGateway(NO_KAFKA)
  const stream = await RawStream.answer(gateway.graphql, {
    method: 'POST',
    headers: STREAM,
    body: { query: 'subscription { nope }' },
  })
  expect(stream.status).toBe(200)
  expect(stream.results[0]?.errors?.[0]?.extensions?.code).toBe('GRAPHQL_VALIDATION_FAILED')
})

test('queries are answered while the gateway is not ready', async () => {
  const gateway = await startTestGateway(NO_KAFKA)
  const body = { query: '{ recentOrders { id } }' }
  const answer = await RawStream.answer(gateway.graphql, { method: 'POST', body })
  expect([answer.status, answer.json]).toEqual([200, { data: { recentOrders: [] } }])
})

test('/readyz says why the gateway is not ready, and /livez that it lives', async () => {
  const gateway = await startTestGateway(NO_KAFKA)
  const ready = await fetch(`${gateway.adminUrl}/readyz`)
  expect(ready.status).toBe(503)
  expect(await ready.text()).toMatch(/^not ready: \S.*\n$/)
  expect((await fetch(`${gateway.adminUrl}/livez`)).status).toBe(200)
  expect(await gateway.metric('sluice_ready')).toBe(0)
})
