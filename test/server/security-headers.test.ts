import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { type RawRequest, RawStream } from '../kit/raw-stream.ts'

const QUERY: RawRequest = { method: 'POST', body: { query: '{ __typename }' } }
const STREAM = { accept: 'text/event-stream' }
const NOTHING = "default-src 'none'; frame-ancestors 'none'"
const ANSWERS: readonly (readonly [string, string, RawRequest, string])[] = [
  ['a result', '/graphql', QUERY, 'no-store'],
  ['a result by GET', '/graphql', { search: '?query={__typename}' }, 'no-store'],
  ['a result as a stream', '/graphql', { ...QUERY, headers: STREAM }, 'no-cache, no-transform'],
  ['a stream', '/graphql', { headers: STREAM, search: '?query=subscription{orders{id}}' }, 'no-cache, no-transform'],
  ['an error', '/graphql', { method: 'POST', body: '{' }, 'no-store'],
  ['a reservation', '/graphql', { method: 'PUT' }, 'no-store'],
  ['another path', '/', {}, 'no-store'],
  ['a preflight', '/graphql', { method: 'OPTIONS' }, 'no-store'],
]

test.each(ANSWERS)('%s is a script, a page or an image to no page', async (_what, path, request, caching) => {
  const gateway = await startTestGateway()
  const answer = await RawStream.send(gateway.url + path, request)
  await answer.untilHead()
  expect(answer.headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'content-security-policy': NOTHING,
    'cache-control': caching,
  })
  expect(answer.headers).not.toHaveProperty('server')
  expect(answer.headers).not.toHaveProperty('x-powered-by')
})

describe("GraphiQL's page", () => {
  const html = { headers: { accept: 'text/html' } }

  test('runs its own scripts, talks to its own origin only, and is framed nowhere', async () => {
    const gateway = await startTestGateway()
    const answer = await RawStream.send(gateway.graphql, html)
    await answer.untilHead()
    const { 'content-security-policy': policy = '', ...headers } = answer.headers
    expect(policy).toContain("script-src 'self';")
    expect(policy).not.toMatch(/script-src[^;]*unsafe/)
    expect(policy).toContain("connect-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
  })

  test('is not there where it is off: such a GET is one like others', async () => {
    const gateway = await startTestGateway({ env: { GRAPHIQL: 'false' } })
    const only = await RawStream.answer(gateway.graphql, html)
    expect([only.status, only.json.errors[0].extensions.code]).toEqual([406, 'NOT_ACCEPTABLE'])
    const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
    const bare = await RawStream.answer(gateway.graphql, { headers: { accept } })
    expect([bare.status, bare.json.errors[0].extensions.code]).toEqual([400, 'BAD_REQUEST'])
    const query = await RawStream.answer(gateway.graphql, { headers: { accept }, search: '?query={__typename}' })
    expect([query.status, query.json]).toEqual([200, { data: { __typename: 'Query' } }])
  })
})

describe('a header that can have one value', () => {
  const NAMES = ['Content-Type', 'Host', 'Last-Event-ID', 'Origin', 'Sec-Fetch-Site', 'X-GraphQL-Event-Stream-Token']
  test.each(NAMES)('is refused twice, whatever its values are: %s', async (name) => {
    const gateway = await startTestGateway()
    for (const [one, two] of [
      ['a', 'b'],
      ['a', 'a'],
    ]) {
      const host = name === 'Host' ? '' : 'host: x\r\n'
      const lines = `${host}${name}: ${one}\r\naccept: text/event-stream\r\n${name.toLowerCase()}: ${two}\r\n`
      const answer = await RawStream.write(gateway.url, `GET /graphql?query={__typename} HTTP/1.1\r\n${lines}\r\n`)
      await answer.untilWhole()
      expect(answer.status).toBe(400)
      expect(answer.json.errors[0]).toMatchObject({
        message: `The request has the header "${name.toLowerCase()}" twice`,
        extensions: { code: 'BAD_REQUEST' },
      })
    }
  })

  test.each(['accept', 'cookie', 'x-forwarded-for', 'vary'])('while others may come twice: %s', async (name) => {
    const gateway = await startTestGateway()
    const lines = `host: x\r\n${name}: application/json\r\n${name}: application/json\r\n`
    const answer = await RawStream.write(gateway.url, `GET /graphql?query={__typename} HTTP/1.1\r\n${lines}\r\n`)
    await answer.untilWhole()
    expect(answer.json).toEqual({ data: { __typename: 'Query' } })
  })
})
