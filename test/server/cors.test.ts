import { describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
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
    expect(listOf(answer.headers['access-control-expose-headers'])).toEqual([
      'retry-after',
      'x-request-id',
      'www-authenticate',
    ])
    expect(answer.headers['x-request-id']).toMatch(/^[\w.-]+$/)
  })

  test('an open subscription', async () => {
    const gateway = await startTestGateway()
    const query = 'subscription { ordersByRegion(region: ASIA) { id } }'
    const stream = await RawStream.subscribe(gateway.graphql, query, { headers: ORIGIN })
    expect(stream.headers['access-control-allow-origin']).toBe('*')
    expect(listOf(stream.headers['access-control-expose-headers'])).toEqual([
      'retry-after',
      'x-request-id',
      'www-authenticate',
    ])
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

describe('credentials', () => {
  const of = async (gateway: TestGateway, origin: string, request: RawRequest = QUERY) => {
    const { headers } = await RawStream.answer(gateway.graphql, { ...request, headers: { ...request.headers, origin } })
    return [headers['access-control-allow-origin'], headers['access-control-allow-credentials'], headers.vary]
  }

  test('are for nobody where anybody may read', async () => {
    const gateway = await startTestGateway()
    for (const origin of ['https://shop.example', 'null', '*']) {
      expect(await of(gateway, origin)).toEqual(['*', undefined, 'Accept-Encoding'])
      expect(await of(gateway, origin, { method: 'OPTIONS', headers: PREFLIGHT })).toEqual([
        '*',
        undefined,
        'Accept-Encoding, Access-Control-Request-Headers',
      ])
    }
  })

  test('are for origins that are listed, also beside everybody', async () => {
    const gateway = await startTestGateway({ env: { CORS_ORIGINS: 'https://Shop.example, *' } })
    const vary = 'Accept-Encoding, Origin'
    expect(await of(gateway, 'https://shop.example')).toEqual(['https://shop.example', 'true', vary])
    expect(await of(gateway, 'https://other.example')).toEqual(['*', undefined, vary])
    expect(await of(gateway, 'null')).toEqual(['*', undefined, vary])
  })

  test('are for no other where only some are listed', async () => {
    const gateway = await startTestGateway({ env: { CORS_ORIGINS: 'https://shop.example' } })
    const vary = 'Accept-Encoding, Origin'
    expect(await of(gateway, 'https://shop.example')).toEqual(['https://shop.example', 'true', vary])
    for (const origin of ['null', 'https://shop.example:444', 'http://shop.example', 'https://shop.example/', '']) {
      expect(await of(gateway, origin)).toEqual([undefined, undefined, vary])
      const preflight = await RawStream.answer(gateway.graphql, {
        method: 'OPTIONS',
        headers: { ...PREFLIGHT, origin },
      })
      expect(Object.keys(preflight.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })
})

describe('request headers', () => {
  test('of ordinary tools may be sent without being configured', async () => {
    const gateway = await startTestGateway()
    const answer = await RawStream.answer(gateway.graphql, { method: 'OPTIONS', headers: PREFLIGHT })
    const tools =
      'accept content-type authorization x-api-key last-event-id x-graphql-event-stream-token x-request-id traceparent ' +
      'tracestate sentry-trace baggage apollo-require-preflight apollographql-client-name apollographql-client-version ' +
      'graphql-client-name graphql-client-version x-requested-with cache-control pragma x-csrf-token'
    expect(listOf(answer.headers['access-control-allow-headers'])).toEqual(expect.arrayContaining(tools.split(' ')))
    expect(listOf(answer.headers['access-control-allow-headers'])).not.toContain('x-shop')
  })

  test('are answered as they are asked for, if they are allowed', async () => {
    const gateway = await startTestGateway({ env: { CORS_HEADERS: 'X-Shop' } })
    const asked = async (names: string) => {
      const headers = { ...PREFLIGHT, 'access-control-request-headers': names }
      const answer = await RawStream.answer(gateway.graphql, { method: 'OPTIONS', headers })
      return listOf(answer.headers['access-control-allow-headers'])
    }
    const ofProtocol = await asked('content-type')
    expect(await asked('Traceparent,x-shop, x-other')).toEqual([...ofProtocol, 'traceparent', 'x-shop'])
    // What is too long to be looked at gets the whole list.
    expect(await asked('x-other,'.repeat(1_000))).toEqual(expect.arrayContaining([...ofProtocol, 'baggage', 'x-shop']))
  })

  test('of others may be sent where CORS_HEADERS names them', async () => {
    const gateway = await startTestGateway({ env: { CORS_HEADERS: 'X-Shop, Authorization' } })
    const answer = await RawStream.answer(gateway.graphql, { method: 'OPTIONS', headers: PREFLIGHT })
    const names = listOf(answer.headers['access-control-allow-headers'])
    expect(names).toContain('x-shop')
    expect(names.filter((name) => name === 'authorization')).toHaveLength(1)
  })
})

describe('answers that Node makes before there is a request', () => {
  const tooLong = `x: ${'y'.repeat(20_000)}`
  const BROKEN: readonly (readonly [string, string, number])[] = [
    ['a head that is too large', `GET /graphql HTTP/1.1\r\nhost: x\r\norigin: ORIGIN\r\n${tooLong}\r\n\r\n`, 431],
    ['what is no HTTP', 'GET /graphql HTTP/1.1\r\nhost: x\r\norigin: ORIGIN\r\nno header\r\n\r\n', 400],
    [
      'two lengths',
      'POST /graphql HTTP/1.1\r\nhost: x\r\nOrigin:ORIGIN\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
      400,
    ],
  ]

  test.each(BROKEN)('have the policy: %s', async (_what, bytes, status) => {
    const anybody = await startTestGateway()
    const some = await startTestGateway({ env: { CORS_ORIGINS: 'https://shop.example' } })
    const of = async (gateway: TestGateway, origin: string) => {
      const answer = await RawStream.write(gateway.url, bytes.replace('ORIGIN', origin))
      await answer.untilEnd()
      expect(answer.status).toBe(status)
      return [answer.headers['access-control-allow-origin'], answer.headers['access-control-allow-credentials']]
    }
    expect(await of(anybody, 'https://shop.example')).toEqual(['*', undefined])
    expect(await of(some, 'https://shop.example')).toEqual(['https://shop.example', 'true'])
    expect(await of(some, 'https://evil.example')).toEqual([undefined, undefined])
  })

  test('a head that does not come to its end has it where anybody may read', async () => {
    const timeouts = {
      headersTimeout: 100,
      requestTimeout: 200,
      connectionsCheckingInterval: 20,
      keepAliveTimeout: 500,
    }
    const gateway = await startTestGateway({ timeouts })
    const answer = await RawStream.write(gateway.url, 'GET /graphql HTTP/1.1\r\n')
    await answer.untilEnd()
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([408, '*'])
  })

  test('what a client expects is no reason for a refusal', async () => {
    const gateway = await startTestGateway()
    const answer = await RawStream.answer(gateway.graphql, { ...QUERY, headers: { ...ORIGIN, expect: 'something' } })
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, '*'])
  })
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
