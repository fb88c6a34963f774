import { expect, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'
import { probeSchema } from '../transport/probe-schema.ts'

const QUERY = 'subscription { ordersByRegion(region: EUROPE) { id } }'
const STREAM = { accept: 'text/event-stream' }
const POST = { method: 'POST', headers: STREAM, body: { query: QUERY } }
const GET = { headers: STREAM, search: `?query=${encodeURIComponent(QUERY)}` }

test('table, the gateway is full: a POST is answered 503 with Retry-After, and nobody is closed for it', async () => {
  const gateway = await startTestGateway({ env: { MAX_STREAMS: '2' } })
  const open = [await RawStream.subscribe(gateway.graphql, QUERY), await RawStream.subscribe(gateway.graphql, QUERY)]
  const refused = await RawStream.answer(gateway.graphql, POST)
  expect(refused.status).toBe(503)
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(10)
  expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(30)
  expect(refused.json.errors[0].extensions.code).toBe('TOO_MANY_STREAMS')
  await gateway.produce({ id: 'later' })
  for (const stream of open) await stream.untilResults(1)

  expect(await gateway.metric('sluice_streams')).toBe(2)
  expect(await gateway.metric('sluice_streams_limit')).toBe(2)
  expect(await gateway.metric('sluice_refused_streams_total')).toBe(1)
})

test('table, the gateway is full: a GET, as of a native EventSource, gets 200, a long retry and the end', async () => {
  const gateway = await startTestGateway({ env: { MAX_STREAMS: '1' } })
  await RawStream.subscribe(gateway.graphql, QUERY)
  const waits: number[] = []
  for (let count = 0; count < 5; count++) {
    const refused = await RawStream.answer(gateway.graphql, GET)
    expect([refused.status, refused.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8'])
    expect(refused.body).toMatch(/^retry: \d+\n\n$/)
    waits.push(Number(refused.blocks[0]?.retry))
  }
  for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(10_000)
  for (const wait of waits) expect(wait).toBeLessThanOrEqual(30_000)
  expect(new Set(waits).size).toBeGreaterThan(1)
})

test('a full gateway is ready, answers queries, and takes the next stream when one has gone', async () => {
  const gateway = await startTestGateway({ env: { MAX_STREAMS: '1' } })
  const only = await RawStream.subscribe(gateway.graphql, QUERY)
  expect((await fetch(`${gateway.adminUrl}/readyz`)).status).toBe(200)
  const query = await RawStream.answer(gateway.graphql, { method: 'POST', body: { query: '{ __typename }' } })
  expect(query.status).toBe(200)
  await only.close()
  await until('there is room', async () => (await gateway.metric('sluice_streams')) === 0)
  expect((await RawStream.subscribe(gateway.graphql, QUERY)).status).toBe(200)
})

test('streams of hand-written subscriptions count, and a refused one never starts its source', async () => {
  const probe = probeSchema()
  const gateway = await startTestGateway({ schema: probe.schema, env: { MAX_STREAMS: '1' } })
  await RawStream.subscribe(gateway.graphql, 'subscription { silent }')
  await until('its source has started', () => probe.open === 1)
  const body = { query: 'subscription { silent }' }
  const refused = await RawStream.answer(gateway.graphql, { method: 'POST', headers: STREAM, body })
  expect(refused.json.errors[0].extensions.code).toBe('TOO_MANY_STREAMS')
  expect(probe.open).toBe(1)
})

test('many who come at once get no more than there is room for', async () => {
  const gateway = await startTestGateway({ env: { MAX_STREAMS: '10' } })
  const all = await Promise.all(Array.from({ length: 40 }, () => RawStream.subscribe(gateway.graphql, QUERY)))
  expect(all.filter(({ status }) => status === 200)).toHaveLength(10)
  expect(all.filter(({ status }) => status === 503)).toHaveLength(30)
})

test('a stream ends as planned before STREAM_MAX_AGE_MS: with a retry, without complete', async () => {
  const gateway = await startTestGateway({ env: { STREAM_MAX_AGE_MS: '1000' } })
  const begin = performance.now()
  const streams = await Promise.all(Array.from({ length: 20 }, () => RawStream.subscribe(gateway.graphql, QUERY)))
  for (const stream of streams) {
    await stream.untilEnd()
    expect(stream.blocks.at(-1)).toEqual({ retry: expect.stringMatching(/^\d+$/) })
    expect(stream.body).not.toContain('event: complete')
  }
  expect(performance.now() - begin).toBeGreaterThan(700)
  expect(await gateway.metric('sluice_closes_total', { reason: 'age' })).toBe(20)
  expect(await gateway.metric('sluice_streams')).toBe(0)
})

test('a hand-written subscription becomes no older, and its source ends', async () => {
  const probe = probeSchema()
  const gateway = await startTestGateway({ schema: probe.schema, env: { STREAM_MAX_AGE_MS: '500' } })
  const stream = await RawStream.subscribe(gateway.graphql, 'subscription { silent }')
  await stream.untilEnd()
  expect(stream.blocks.at(-1)).toEqual({ retry: expect.stringMatching(/^\d+$/) })
  await until('its source has ended', () => probe.open === 0)
  expect(await gateway.metric('sluice_closes_total', { reason: 'age' })).toBe(1)
})

test('a stream in single connection mode counts once, takes operations when the gateway is full, and ends by age', async () => {
  const gateway = await startTestGateway({ env: { MAX_STREAMS: '1', STREAM_MAX_AGE_MS: '4000' } })
  const reserved = await RawStream.answer(gateway.graphql, { method: 'PUT' })
  const headers = { ...STREAM, 'x-graphql-event-stream-token': reserved.body }
  const stream = await RawStream.send(gateway.graphql, { headers })
  await stream.untilHead()
  expect([reserved.status, stream.status]).toEqual([201, 200])
  for (const operationId of ['a', 'b']) {
    const body = { query: QUERY, extensions: { operationId } }
    expect((await RawStream.answer(gateway.graphql, { method: 'POST', headers, body })).status).toBe(202)
  }
  expect(await gateway.metric('sluice_streams')).toBe(1)
  expect(await gateway.metric('sluice_subscribers')).toBe(2)
  expect((await RawStream.answer(gateway.graphql, POST)).status).toBe(503)

  await stream.untilEnd()
  expect(stream.blocks.at(-1)).toEqual({ retry: expect.stringMatching(/^\d+$/) })
  expect(stream.body).not.toContain('event: complete')
  expect(await gateway.metric('sluice_closes_total', { reason: 'age' })).toBe(2)
})
