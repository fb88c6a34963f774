import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { type RawRequest, RawStream } from '../kit/raw-stream.ts'

const ORIGIN = { origin: 'https://shop.example' }
const PREFLIGHT = { ...ORIGIN, 'access-control-request-method': 'POST' }

function listOf(header: string | undefined): string[] {
  return (header ?? '').toLowerCase().split(/, */)
}

test.each(['/graphql', '/', '/nothing/here'])('resume 7: a preflight for %s is answered the same', async (path) => {
  const gateway = await startTestGateway()
  const answer = await RawStream.answer(`${gateway.url}${path}`, {
    method: 'OPTIONS',
    headers: { ...PREFLIGHT, 'access-control-request-headers': 'content-type, last-event-id' },
  })
  expect(answer.status).toBe(204)
  expect(answer.headers['access-control-allow-origin']).toBe('*')
  expect(listOf(answer.headers['access-control-allow-headers'])).toEqual(
    expect.arrayContaining(['last-event-id', 'x-graphql-event-stream-token', 'authorization', 'content-type']),
  )
  expect(listOf(answer.headers['access-control-allow-methods'])).toEqual(
    expect.arrayContaining(['get', 'post', 'put', 'delete']),
  )
})

const QUERY: RawRequest = { method: 'POST', body: { query: '{ __typename }' } }
const ANSWERS: readonly (readonly [string, string, RawRequest, number])[] = [
  ['a query', '/graphql', QUERY, 200],
  ['a stream', '/graphql', { ...QUERY, headers: { accept: 'text/event-stream' } }, 200],
  ['GraphiQL', '/graphql', { headers: { accept: 'text/html' } }, 200],
  ['a broken body', '/graphql', { method: 'POST', body: '{' }, 400],
  ['another path', '/nothing', {}, 404],
  ['another method', '/graphql', { method: 'PATCH' }, 405],
  ['another media type', '/graphql', { headers: { accept: 'image/png' } }, 406],
  ['a body that is too large', '/graphql', { method: 'POST', body: { query: 'x'.repeat(300_000) } }, 413],
  ['a form', '/graphql', { ...QUERY, headers: { 'content-type': 'text/plain' } }, 415],
]

describe('resume 7: every answer carries the same policy', () => {
  test.each(ANSWERS)('%s', async (_what, path, request, status) => {
    const gateway = await startTestGateway()
    const answer = await RawStream.send(`${gateway.url}${path}`, {
      ...request,
      headers: { ...ORIGIN, ...request.headers },
    })
    await answer.untilHead()
    expect(answer.status).toBe(status)
    expect(answer.headers['access-control-allow-origin']).toBe('*')
    expect(listOf(answer.headers['access-control-expose-headers'])).toEqual(['retry-after', 'x-request-id'])
    expect(answer.headers['x-request-id']).toMatch(/^[\w.-]+$/)
  })

  test('an open subscription', async () => {
    const gateway = await startTestGateway()
    const query = 'subscription { ordersByRegion(region: ASIA) { id } }'
    const stream = await RawStream.subscribe(gateway.graphql, query, { headers: ORIGIN })
    expect(stream.headers['access-control-allow-origin']).toBe('*')
    expect(listOf(stream.headers['access-control-expose-headers'])).toEqual(['retry-after', 'x-request-id'])
  })
})

describe('CORS_ORIGINS', () => {
  const env = { CORS_ORIGINS: 'https://shop.example, https://other.example' }

  test('names who may read: they are allowed by name, and caches are told that the answer varies', async () => {
    const gateway = await startTestGateway({ env })
    const answer = await RawStream.answer(gateway.graphql, { ...QUERY, headers: ORIGIN })
    expect(answer.headers['access-control-allow-origin']).toBe('https://shop.example')
    expect(listOf(answer.headers.vary)).toContain('origin')
  })

  test.each(['https://evil.example', 'null', 'https://shop.example.evil.example'])(
    'does not allow %s',
    async (origin) => {
      const gateway = await startTestGateway({ env })
      const answer = await RawStream.answer(gateway.graphql, { ...QUERY, headers: { origin } })
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
    },
  )
})

describe('the request id', () => {
  test("is the caller's own, where it is one that a log can hold", async () => {
    const gateway = await startTestGateway()
    const answer = await RawStream.answer(gateway.graphql, { ...QUERY, headers: { 'x-request-id': 'abc-1.2_3' } })
    expect(answer.headers['x-request-id']).toBe('abc-1.2_3')
  })

  test.each(['a b', '"', 'x'.repeat(65), 'é'])('is made up in place of %j', async (id) => {
    const gateway = await startTestGateway()
    const answer = await RawStream.answer(gateway.graphql, { ...QUERY, headers: { 'x-request-id': id } })
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })
})
