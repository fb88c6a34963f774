import { beforeAll, describe, expect, test } from 'vitest'
import { keysFile } from '../../kit/api-keys.ts'
import { startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { recordedLog } from '../../kit/log-lines.ts'
import { type RawRequest, RawStream } from '../../kit/raw-stream.ts'
import { type Issuer, makeIssuer, tokenOf } from '../../kit/tokens.ts'
import { until } from '../../kit/until.ts'

const QUERY = 'subscription { ordersByRegion(region: EUROPE) { id } }'
const STREAM = { accept: 'text/event-stream' }
const KEY = 'k-acme'

let issuer: Issuer
let stranger: Issuer
beforeAll(async () => {
  issuer = await makeIssuer()
  stranger = await makeIssuer({ kid: issuer.kid })
})

async function start(env: Record<string, string> = {}, now?: () => number) {
  const { log, lines } = recordedLog()
  const gateway = await startTestGateway({
    log,
    env: {
      AUTH_KEY_FILE: issuer.keyFile(),
      API_KEYS_FILE: keysFile([{ id: 'acme', key: KEY }]),
      AUTH_COOKIE: 'session',
      ...env,
    },
    ...(now && { now }),
  })
  return { gateway, lines }
}

/** A ticket for `QUERY`. */
async function ticketFor(gateway: TestGateway, headers: Record<string, string>): Promise<string> {
  const response = await fetch(`${gateway.url}/ticket`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: QUERY }),
  })
  expect([response.status, response.headers.get('cache-control')]).toEqual([201, 'no-store'])
  return ((await response.json()) as { ticket: string }).ticket
}

/** Every request that asks for something, with these credentials. */
const REQUESTS: Record<string, (given: { headers?: Record<string, string>; search?: string }) => RawRequest> = {
  'a stream by POST': ({ headers }) => ({ method: 'POST', headers: { ...STREAM, ...headers }, body: { query: QUERY } }),
  'a stream by GET': ({ headers, search = '' }) => ({
    search: `?${new URLSearchParams({ query: QUERY })}${search}`,
    headers: { ...STREAM, ...headers },
  }),
  'a query': ({ headers }) => ({ method: 'POST', headers: { ...headers }, body: { query: '{ __typename }' } }),
  'a reservation': ({ headers }) => ({ method: 'PUT', headers: { ...headers } }),
  'a stream of several': ({ headers }) => ({ search: '?token=test.x', headers: { ...STREAM, ...headers } }),
  'an end': ({ headers }) => ({ method: 'DELETE', search: '?token=test.x&operationId=1', headers: { ...headers } }),
}

/** What is left of requests that were refused. */
async function leftovers(gateway: TestGateway) {
  const names = ['streams', 'groups', 'subscribers', 'single_streams', 'reserved_streams']
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await gateway.metric(`sluice_${name}`)])),
  )
}
const NOTHING = { streams: 0, groups: 0, subscribers: 0, single_streams: 0, reserved_streams: 0 }

describe.each(['true', 'false'])('where ANONYMOUS is %s', (anonymous) => {
  const hour = () => Math.floor(Date.now() / 1000) + 3600
  const tokens: [string, () => string | Promise<string>, string][] = [
    ['expired', () => issuer.sign({ exp: 1 }), 'SESSION_EXPIRED'],
    ['not valid yet', () => issuer.sign({ nbf: hour() }), 'UNAUTHENTICATED'],
    ['signed by a stranger', () => stranger.sign(), 'UNAUTHENTICATED'],
    ['unsigned', () => tokenOf({ alg: 'none' }, { sub: 'a', exp: hour() }), 'UNAUTHENTICATED'],
    ['of broken bounds', () => issuer.sign({ bounds: 'all' }), 'UNAUTHENTICATED'],
    ['too long', () => `${'x'.repeat(8_200)}.y.z`, 'UNAUTHENTICATED'],
    ['nothing of the kind', () => 'null', 'UNAUTHENTICATED'],
  ]
  const ways: [string, (token: string) => Record<string, string>][] = [
    ['a header', (token) => ({ authorization: `Bearer ${token}` })],
    ['a cookie', (token) => ({ 'sec-fetch-site': 'same-origin', cookie: `a=b; session=${token}` })],
  ]

  test.each(
    tokens.flatMap(([what, make, code]) => ways.map(([way, headers]) => [what, way, make, headers, code] as const)),
  )(
    'a token that is %s, in %s, gets 401 whatever it asks for, and leaves nothing',
    async (_what, _way, make, headers, code) => {
      const { gateway, lines } = await start({ ANONYMOUS: anonymous })
      const token = await make()
      for (const [what, request] of Object.entries(REQUESTS)) {
        const answer = await RawStream.answer(gateway.graphql, request({ headers: headers(token) }))
        expect([what, answer.status, answer.json.errors[0].extensions.code]).toEqual([what, 401, code])
        expect(answer.headers['www-authenticate']).toMatch(
          /^Bearer realm="sluice", error="invalid_token", error_description="[^"]+"$/,
        )
        expect(answer.received).not.toContain(token)
      }
      const ticket = await fetch(`${gateway.url}/ticket`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers(token) },
        body: JSON.stringify({ query: QUERY }),
      })
      expect(ticket.status).toBe(401)
      expect(await leftovers(gateway)).toEqual(NOTHING)
      expect(JSON.stringify(lines)).not.toContain(token)
    },
  )

  test.each<[string, Record<string, string>, string]>([
    ['an unknown API key', { 'x-api-key': 'unknown' }, ''],
    ['the hash of an API key', { 'x-api-key': '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae' }, ''],
    ['a name and a password', { authorization: 'Basic YTpi' }, ''],
    ['both kinds of credentials', { authorization: 'Bearer a.b.c', 'x-api-key': KEY }, ''],
    ['a key and a cookie', { cookie: 'session=a.b.c', 'x-api-key': KEY }, ''],
    ['a key and a ticket', { 'x-api-key': KEY }, '&ticket=a.b'],
    ['a ticket of nobody', {}, '&ticket=a.b.c.d.e'],
    ['two tickets', {}, '&ticket=a.b&ticket=a.b'],
    ['an empty ticket', {}, '&ticket='],
  ])('%s gets 401, and leaves nothing', async (_what, headers, search) => {
    const { gateway } = await start({ ANONYMOUS: anonymous })
    const answer = await RawStream.answer(gateway.graphql, REQUESTS['a stream by GET']!({ headers, search }))
    expect([answer.status, answer.json.errors[0].extensions.code]).toEqual([401, 'UNAUTHENTICATED'])
    expect(await leftovers(gateway)).toEqual(NOTHING)
  })

  test('a header that is sent twice gets 401', async () => {
    const { gateway } = await start({ ANONYMOUS: anonymous })
    const token = await issuer.sign()
    const head = (name: string, value: string) =>
      `GET /graphql?query=%7B__typename%7D HTTP/1.1\r\nhost: x\r\n${name}: ${value}\r\n${name}: ${value}\r\nconnection: close\r\n\r\n`
    for (const bytes of [head('Authorization', `Bearer ${token}`), head('X-API-Key', KEY)]) {
      const answer = await RawStream.write(gateway.graphql, bytes)
      await until('it is answered', () => answer.ended)
      expect([answer.status, answer.received.includes('was sent 2 times')]).toEqual([401, true])
    }
  })

  test(`no credentials ${anonymous === 'true' ? 'get in' : 'get 401, without an error in the challenge'}`, async () => {
    const { gateway } = await start({ ANONYMOUS: anonymous })
    for (const name of ['a query', 'a stream by POST', 'a reservation'] as const) {
      const answer = await RawStream.send(gateway.graphql, REQUESTS[name]!({}))
      await answer.untilHead()
      expect(answer.status < 300).toBe(anonymous === 'true')
      if (answer.status === 401) expect(answer.headers['www-authenticate']).toBe('Bearer realm="sluice"')
    }
  })

  test.each<[string, () => Promise<Record<string, string>>]>([
    ['a token', async () => ({ authorization: `Bearer ${await issuer.sign()}` })],
    ['a cookie', async () => ({ cookie: `session=${await issuer.sign()}`, 'sec-fetch-site': 'same-origin' })],
    ['an API key', async () => ({ 'x-api-key': KEY })],
  ])('%s gets in, by itself and by a ticket', async (_what, make) => {
    const { gateway } = await start({ ANONYMOUS: anonymous })
    const headers = await make()
    const stream = await RawStream.subscribe(gateway.graphql, QUERY, { headers })
    const search = `?ticket=${await ticketFor(gateway, headers)}`
    const byTicket = await RawStream.send(gateway.graphql, { search, headers: STREAM })
    await byTicket.untilHead()
    await until('both are subscribed', async () => (await gateway.metric('sluice_subscribers')) === 2)
    await gateway.produce({ id: 'ord_1' })
    for (const each of [stream, byTicket]) await until('the order came', () => each.received.includes('ord_1'))
    expect(await gateway.metric('sluice_groups')).toBe(1)
  })
})

describe('where neither tokens nor keys are configured', () => {
  test('headers and cookies are not looked at', async () => {
    const gateway = await startTestGateway()
    for (const headers of [
      { authorization: 'Bearer x' },
      { authorization: 'Basic x' },
      { 'x-api-key': 'x' },
      { cookie: 'session=x' },
    ]) {
      expect((await RawStream.answer(gateway.graphql, REQUESTS['a query']!({ headers }))).status).toBe(200)
    }
  })

  test('there are tickets all the same, so that pages need not know', async () => {
    const gateway = await startTestGateway()
    const search = `?ticket=${await ticketFor(gateway, {})}`
    const stream = await RawStream.send(gateway.graphql, { search, headers: STREAM })
    await stream.untilHead()
    expect(stream.status).toBe(200)
    expect((await RawStream.answer(gateway.graphql, { search: '?ticket=a.b', headers: STREAM })).status).toBe(401)
  })
})

test('where only keys are configured a token is refused, and the other way round', async () => {
  const onlyKeys = await startTestGateway({
    env: { API_KEYS_FILE: keysFile([{ id: 'acme', key: KEY }]), ANONYMOUS: 'true' },
  })
  const onlyTokens = await startTestGateway({ env: { AUTH_KEY_FILE: issuer.keyFile(), ANONYMOUS: 'true' } })
  const token = { authorization: `Bearer ${await issuer.sign()}` }
  const ask = async (gateway: TestGateway, headers: Record<string, string>) =>
    (await RawStream.answer(gateway.graphql, REQUESTS['a query']!({ headers }))).status
  expect([await ask(onlyKeys, token), await ask(onlyTokens, { 'x-api-key': KEY })]).toEqual([401, 401])
  expect([await ask(onlyKeys, { 'x-api-key': KEY }), await ask(onlyTokens, token)]).toEqual([200, 200])
})

test('five hundred requests that come at once with a new token verify it once', async () => {
  const { gateway } = await start()
  const headers = { authorization: `Bearer ${await issuer.sign()}` }
  const url = `${gateway.graphql}?query=%7B__typename%7D`
  const answers = await Promise.all(Array.from({ length: 500 }, () => fetch(url, { headers })))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(await gateway.metric('sluice_tokens_total', { outcome: 'verified' })).toBe(1)
  expect(await gateway.metric('sluice_credentials_cache_bytes')).toBeGreaterThan(0)
})

test('a reservation of a key is none of a token with the same id', async () => {
  const { gateway } = await start()
  const reservation = await RawStream.answer(gateway.graphql, { method: 'PUT', headers: { 'x-api-key': KEY } })
  const search = `?token=${reservation.body}`
  const authorization = `Bearer ${await issuer.sign({ sub: 'acme' })}`
  const other = await RawStream.answer(gateway.graphql, { search, headers: { ...STREAM, authorization } })
  expect([other.status, other.json.errors[0].extensions.code]).toEqual([404, 'STREAM_NOT_FOUND'])
  const own = await RawStream.send(gateway.graphql, { search, headers: { ...STREAM, 'x-api-key': KEY } })
  await own.untilHead()
  expect(own.status).toBe(200)
})

test('an issuer that is down: a client is told to come back, a native EventSource by retry, and known keys get in', async () => {
  const { gateway } = await start({ AUTH_KEY_FILE: '', AUTH_JWKS_URL: 'http://127.0.0.1:9999/jwks.json' })
  const search = `?${new URLSearchParams({ query: QUERY })}`
  const authorization = `Bearer ${await issuer.sign()}`
  const post = await RawStream.answer(gateway.graphql, REQUESTS['a stream by POST']!({ headers: { authorization } }))
  expect([post.status, post.json.errors[0].extensions.code]).toEqual([503, 'NOT_READY'])
  expect(Number(post.headers['retry-after'])).toBeGreaterThan(0)
  const get = await RawStream.answer(gateway.graphql, { search, headers: { ...STREAM, authorization } })
  expect([get.status, get.body]).toEqual([200, expect.stringMatching(/^retry: \d+\n\n$/)])
  const key = await RawStream.answer(gateway.graphql, REQUESTS['a query']!({ headers: { 'x-api-key': KEY } }))
  expect(key.status).toBe(200)
  expect(await gateway.metric('sluice_jwks_fetches_total', { outcome: 'failed' })).toBeGreaterThan(0)
  expect(await leftovers(gateway)).toEqual(NOTHING)
})
