import { request as plainRequest } from 'node:https'
import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { addressOf, describeNginx } from '../kit/nginx.ts'
import { until } from '../kit/until.ts'
import { type Behaviour, startStub } from './stub-gateway.ts'

const SECRET = 'gateway-a.c2VjcmV0LXRva2Vu'
const CURSOR = 'Y3Vyc29yLW9mLXNvbWVib2R5'
const TOKEN_HEADER = 'x-graphql-event-stream-token'
const EVENT_SOURCE = { accept: 'text/event-stream' }
const isSilent: Behaviour = () => {}

const codeOf = async (answer: Response) => (await answer.json()).errors[0].extensions.code as string

describeNginx('what Nginx keeps from the gateways', (nginx) => {
  test('an address has so many open requests, over all workers; the next is answered 429, and heard when one ends', async () => {
    const stub = await startStub('gateway-a', { does: isSilent })
    const front = await nginx.start({ instances: [stub.instance], streamsPerAddress: 5 })
    const open = Array.from({ length: 5 }, () => new AbortController())
    for (const { signal } of open) fetch(front.graphql, { signal }).catch(() => 'left')
    await until('five are open', () => stub.seen.length === 5)
    for (let i = 0; i < 10; i++) {
      const answer = await fetch(front.graphql, {
        method: 'POST',
        body: '{}',
        headers: { origin: 'https://shop.example' },
      })
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '5'])
      expect(answer.headers.get('access-control-allow-origin')).toBe('*')
      expect(await codeOf(answer)).toBe('TOO_MANY_STREAMS')
    }
    expect(stub.seen.length).toBe(5)
    open[0]!.abort()
    const leave = new AbortController()
    await until('another is let in', async () => {
      fetch(front.graphql, { signal: leave.signal }).catch(() => 'left')
      return stub.seen.length === 6
    })
    for (const each of [...open, leave]) each.abort()
  })

  test('only /graphql leads anywhere: nothing of the admin port is to be had', async () => {
    const gateway = await startTestGateway()
    const front = await nginx.start({ instances: [{ name: 'test', address: addressOf(gateway.url) }] })
    expect((await fetch(`${front.graphql}?query={__typename}`)).status).toBe(200)
    const { host } = new URL(gateway.adminUrl)
    const paths = ['/', '/metrics', '/livez', '/readyz', '/graphql/', '/graphql/../metrics', '/graphql/metrics']
    const encoded = ['/%6detrics', '/graphql%2f..%2fmetrics', '//metrics', `http://${host}/metrics`]
    for (const path of [...paths, ...encoded]) {
      for (const headers of [{}, { host }]) {
        const { status, body } = await rawPath(front.origin, path, headers)
        expect([path, status]).toEqual([path, 404])
        expect(JSON.parse(body)).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] })
      }
    }
    expect((await rawPath(front.origin, '/.%2e/metrics', {})).status).toBe(400)
  })

  test('a body of 256 KiB reaches the gateway; a byte more, and it is answered 413 in the form of the protocol', async () => {
    const gateway = await startTestGateway()
    const front = await nginx.start({ instances: [{ name: 'test', address: addressOf(gateway.url) }] })
    const post = (bytes: number) => {
      const query = JSON.stringify({ query: '{ __typename }' })
      const body = query + ' '.repeat(bytes - query.length)
      return fetch(front.graphql, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    }
    expect(await (await post(256 * 1024)).json()).toEqual({ data: { __typename: 'Query' } })
    const answer = await post(256 * 1024 + 1)
    expect([answer.status, await codeOf(answer)]).toEqual([413, 'BODY_TOO_LARGE'])
    await until('both are logged', () => front.accessLog().length === 2)
    expect(front.accessLog().map(({ status, upstream }) => [status, upstream])).toEqual([
      ['200', addressOf(gateway.url)],
      ['413', ''],
    ])
  })
})

describeNginx('what Nginx tells the gateways', (nginx) => {
  test("the client's address is Nginx's word, not the client's", async () => {
    const stub = await startStub('gateway-a')
    const front = await nginx.start({ instances: [stub.instance] })
    const lies = {
      'x-forwarded-for': '6.6.6.6',
      'x-real-ip': '6.6.6.6',
      forwarded: 'for=6.6.6.6',
      'x-request-id': 'mine',
    }
    await fetch(front.graphql, { headers: { ...lies, 'last-event-id': CURSOR, [TOKEN_HEADER]: SECRET } })
    const { headers } = stub.seen[0]!
    expect(JSON.stringify(headers)).not.toContain('6.6.6.6')
    expect(headers).toMatchObject({
      host: new URL(front.origin).host,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-request-id': 'mine',
      'last-event-id': CURSOR,
      [TOKEN_HEADER]: SECRET,
    })
    expect(headers.connection).not.toBe('close')
  })

  test('a balancer in front is believed, and only the address that it saw counts', async () => {
    const stub = await startStub('gateway-a')
    const front = await nginx.start({ instances: [stub.instance], trustedProxies: ['127.0.0.0/8'] })
    await fetch(front.graphql, { headers: { 'x-forwarded-for': '6.6.6.6, 203.0.113.7' } })
    expect(stub.seen[0]!.headers['x-forwarded-for']).toBe('203.0.113.7')
  })
})

describeNginx('the logs of Nginx', (nginx) => {
  test('hold no token and no cursor, whatever happened to the request', async () => {
    const socket = nginx.socket('logs')
    const instances = [
      (await startStub('gateway-a', { does: (_request, response) => void response.end('ok') })).instance,
      (await startStub('cuts', { does: (request) => void request.socket.destroy() })).instance,
      (await startStub('silent', { does: isSilent })).instance,
      { name: 'no-socket', address: `unix:${socket}` },
      { name: 'refuses', address: '127.0.0.1:1' },
    ]
    for (const chosen of [...instances.map((each) => [each]), instances.slice(1)]) {
      const front = await nginx.start({ instances: chosen, heartbeatMs: 200, streamsPerAddress: 3 })
      const search = `?token=${SECRET}&lastEventId=${CURSOR}&query=${SECRET}`
      const headers = { referer: `${front.graphql}${search}`, [TOKEN_HEADER]: SECRET, 'last-event-id': CURSOR }
      const requests = ['GET', 'POST', 'PUT', 'GET', 'GET', 'GET'].map((method) =>
        fetch(front.graphql + search, { method, headers, ...(method === 'POST' && { body: SECRET.repeat(100) }) }),
      )
      requests.push(fetch(`${front.graphql}/nowhere${search}`, { headers }))
      requests.push(fetch(front.graphql + search, { method: 'POST', body: SECRET.repeat(40_000), headers }))
      for (const request of requests) await (await request).text()
      await until('all are logged', () => front.accessLog().length === requests.length)
      expect(front.logs()).not.toMatch(new RegExp(`${SECRET}|${CURSOR}|${SECRET.split('.')[1]}`))
      // But which instance did what is there.
      if (chosen.length > 1) expect(front.logs()).toMatch(/"upstream_status":"(50[24], )+50[24]"/)
    }
  })
})

describeNginx('a native EventSource, which any other status would end for good, is told to come back', (nginx) => {
  const expectRetry = async (url: string) => {
    const answer = await fetch(url, { headers: { ...EVENT_SOURCE, origin: 'https://shop.example' } })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/event-stream')
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(await answer.text()).toMatch(/^retry: [2-6]000\n\n$/)
  }

  describe.each([
    ['no gateway is there', 'gone', 502],
    ['the gateway does not answer', 'silent', 504],
    ['its address has too many streams', 'busy', 429],
  ])('where %s', (_what, how, status) => {
    test(`and others get ${status}`, async () => {
      const stub = await startStub('gateway-a', { does: isSilent })
      const heartbeatMs = how === 'silent' ? 200 : 15_000
      const front = await nginx.start({ instances: [stub.instance], heartbeatMs, streamsPerAddress: 1 })
      if (how === 'gone') await stub.close()
      const leave = new AbortController()
      if (how === 'busy') {
        fetch(front.graphql, { signal: leave.signal }).catch(() => 'left')
        await until('one is open', () => stub.seen.length === 1)
      }
      await expectRetry(`${front.graphql}?query=x`)
      for (const init of [{}, { method: 'POST', body: '{}', headers: EVENT_SOURCE }]) {
        expect((await fetch(front.graphql, init)).status).toBe(status)
      }
      const official = { ...EVENT_SOURCE, [TOKEN_HEADER]: SECRET }
      expect((await fetch(front.graphql, { headers: official })).status).toBe(status)
      leave.abort()
    })
  })

  test('where only some origins are welcome, the others are told nothing', async () => {
    const front = await nginx.start({
      instances: [{ name: 'gone', address: '127.0.0.1:1' }],
      corsOrigins: ['https://shop.example', 'https://live.example:8443'],
    })
    const allowed = async (origin: string) => {
      const { headers } = await fetch(front.graphql, { headers: { ...EVENT_SOURCE, origin } })
      expect(headers.get('vary')).toContain('Origin')
      return [headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')]
    }
    for (const origin of ['https://shop.example', 'https://live.example:8443']) {
      expect(await allowed(origin)).toEqual([origin, 'true'])
    }
    for (const origin of ['https://shop.example.evil', 'null']) expect(await allowed(origin)).toEqual([null, null])
  })

  test('where some are listed beside everybody, credentials are for those that are', async () => {
    const front = await nginx.start({
      instances: [{ name: 'gone', address: '127.0.0.1:1' }],
      corsOrigins: ['*', 'https://shop.example', 'capacitor://localhost', 'http://[::1]:3000'],
    })
    const allowed = async (origin: string) => {
      const { headers } = await fetch(front.graphql, { headers: { origin } })
      return [headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')]
    }
    for (const origin of ['https://shop.example', 'capacitor://localhost', 'http://[::1]:3000']) {
      expect(await allowed(origin)).toEqual([origin, 'true'])
    }
    for (const origin of ['https://evil.example', 'null']) expect(await allowed(origin)).toEqual(['*', null])
  })

  test.each([
    ['a year where nothing else is said', {}, 'max-age=31536000'],
    ['not at all where it is off', { hstsSeconds: 0 }, null],
  ])('browsers are told to use TLS: %s, by every answer', async (_what, options, expected) => {
    const gone = await nginx.start({ instances: [{ name: 'gone', address: '127.0.0.1:1' }], ...options })
    const stub = await startStub('one')
    const front = await nginx.start({ instances: [stub.instance], ...options })
    for (const url of [gone.graphql, `${gone.origin}/`, front.graphql]) {
      const answer = await fetch(url)
      expect([url, answer.headers.get('strict-transport-security')]).toEqual([url, expected])
      await answer.text()
    }
  })
})

/** A request for a path as it is, which fetch would tidy up. */
function rawPath(origin: string, path: string, headers: Record<string, string>) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const request = plainRequest(origin, { path, headers, rejectUnauthorized: false }, async (response) => {
      let body = ''
      for await (const chunk of response) body += chunk
      resolve({ status: response.statusCode ?? 0, body })
    })
    request.on('error', reject).end()
  })
}
