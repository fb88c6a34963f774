import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { type RawRequest, RawStream } from '../kit/raw-stream.ts'
import { probeSchema } from './probe-schema.ts'

/** Valid, and refused by admission alone: nothing else counts tokens. */
const REFUSED = `mutation { shout(text: "x") ${'__typename '.repeat(5_000)} }`

const STREAM = { accept: 'text/event-stream' }
const WAYS: readonly (readonly [string, RawRequest])[] = [
  ['POST for JSON', { method: 'POST', body: { query: REFUSED } }],
  ['POST for anything', { method: 'POST', headers: { accept: '*/*' }, body: { query: REFUSED } }],
  [
    'POST for application/graphql-response+json',
    { method: 'POST', headers: { accept: 'application/graphql-response+json' }, body: { query: REFUSED } },
  ],
  ['POST for a stream', { method: 'POST', headers: STREAM, body: { query: REFUSED } }],
  ['POST from a browser', { method: 'POST', headers: { accept: 'text/html, */*;q=0.1' }, body: { query: REFUSED } }],
]

describe('an operation that admission refuses is executed by no way in', () => {
  test.each(WAYS)('%s', async (_way, request) => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const answer = await RawStream.answer(gateway.graphql, request)
    expect(answer.body).toContain('GRAPHQL_PARSE_FAILED')
    expect(probe.shouts).toBe(0)
  })

  test.each([
    ['a stream', STREAM],
    ['JSON', { accept: 'application/json' }],
  ])('GET for %s', async (_what, headers) => {
    const gateway = await startTestGateway({ schema: probeSchema().schema })
    const query = `{ hello nope${' hello'.repeat(1_500)} }`
    const answer = await RawStream.answer(gateway.graphql, { search: `?${new URLSearchParams({ query })}`, headers })
    expect(answer.body).toContain('GRAPHQL_VALIDATION_FAILED')
    expect(answer.body).not.toContain('world')
  })
})

describe('what admission lets pass is executed as admission read it', () => {
  test.each([
    ['JSON', {}, '{"data":{"a":"A"}}'],
    ['a stream', STREAM, 'event: next\ndata: {"data":{"a":"A"}}\n\nevent: complete\ndata:\n\n'],
  ])('as %s: the operation that was named, once', async (_what, headers, body) => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const query = 'mutation A { a: shout(text: "a") } mutation B { b: shout(text: "b") }'
    const answer = await RawStream.answer(gateway.graphql, {
      method: 'POST',
      headers,
      body: { query, operationName: 'A' },
    })
    expect(answer.body).toBe(body)
    expect(probe.shouts).toBe(1)
  })
})

describe('GraphiQL', () => {
  test.each(['text/html', 'TEXT/HTML', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'])(
    'is what a GET for %s gets, with and without an operation, which is not executed',
    async (accept) => {
      const probe = probeSchema()
      const gateway = await startTestGateway({ schema: probe.schema })
      for (const search of ['', '?query={hello}', '?query={nope}']) {
        const answer = await RawStream.send(gateway.graphql, { search, headers: { accept } })
        await answer.untilHead()
        expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
      }
    },
  )
})

describe('a subscription is served by the engine or not at all', () => {
  test.each([
    ['application/json', 'SUBSCRIPTION_NEEDS_SSE'],
    ['application/graphql-response+json', 'SUBSCRIPTION_NEEDS_SSE'],
    // The increments of one result, by `@defer`, are no stream of results.
    ['multipart/mixed;deferSpec=20220824', 'NOT_ACCEPTABLE'],
    ['multipart/mixed;deferSpec=20220824, application/json', 'SUBSCRIPTION_NEEDS_SSE'],
    ['image/png', 'NOT_ACCEPTABLE'],
  ])('to a client that accepts %s it is refused', async (accept, code) => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    for (const query of ['subscription { orderIds }', 'subscription { silent }']) {
      const answer = await RawStream.answer(gateway.graphql, { method: 'POST', headers: { accept }, body: { query } })
      expect([answer.status, answer.json.errors[0].extensions.code]).toEqual([406, code])
    }
    expect(probe.open).toBe(0)
    expect(await gateway.metric('sluice_groups')).toBe(0)
  })

  test('an upgrade to WebSocket is not taken', async () => {
    const gateway = await startTestGateway()
    const answer = await RawStream.send(gateway.graphql, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-protocol': 'graphql-transport-ws',
      },
    })
    await answer.untilHead()
    expect(answer.status).toBe(400)
  })

  test('a batch of operations is not taken', async () => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const body = [{ query: 'mutation { shout(text: "x") }' }, { query: 'mutation { shout(text: "y") }' }]
    const answer = await RawStream.answer(gateway.graphql, { method: 'POST', body })
    expect(answer.status).toBe(400)
    expect(probe.shouts).toBe(0)
  })

  test('an operation in the query string of a POST is not taken', async () => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const search = `?query=${encodeURIComponent('mutation { shout(text: "x") }')}`
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await RawStream.answer(gateway.graphql, { method: 'POST', search, headers, body: 'query=x' })
    expect(answer.status).toBe(415)
    expect(probe.shouts).toBe(0)
  })
})
