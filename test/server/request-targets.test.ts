import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { recordedLog } from '../kit/log-lines.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { Statistics } from '../kit/statistics.ts'

const QUERY = '?query=%7B__typename%7D'
const JSON_TYPE = 'accept: application/json\r\n'
const ANSWER = '{"data":{"__typename":"Query"}}'

/** What no answer holds: stacks, and paths of the machine. */
const INTERNALS = /node_modules|\.ts:\d|file:\/\/|\bat \S+ \(|\/(work|home|tmp|usr|root)\//

async function ask(gateway: TestGateway, head: string, body = ''): Promise<RawStream> {
  const answer = await RawStream.write(gateway.url, `${head}connection: close\r\n\r\n${body}`)
  await answer.untilEnd()
  return answer
}

test.each([
  ['a port that is none', 'a:99999'],
  ['another host', 'evil.example'],
  ['an address', '[::1]:80'],
  ['half an address', '[::1'],
  ['nothing', ''],
  ['a path', '/etc/passwd'],
  ['a user', 'a:b@c'],
  ['a percent sign', '%'],
  ['spaces', 'a b'],
  ['a URL', 'http://a/b?c#d'],
  ['a slash at its end', 'a/'],
  ['what is no ASCII', 'h\u00f6st'],
  ['a number', '1'],
  ['a very long name', 'a'.repeat(8_000)],
])('a Host of %s changes nothing in the answer', async (_what, host) => {
  const gateway = await startTestGateway()
  for (const [accept, expected] of [
    [JSON_TYPE, ANSWER],
    ['accept: application/graphql-response+json\r\n', ANSWER],
    ['accept: text/event-stream\r\n', ANSWER],
    ['accept: text/html\r\n', 'Sluice'],
  ] as const) {
    const answer = await ask(gateway, `GET /graphql${QUERY} HTTP/1.1\r\nhost: ${host}\r\n${accept}`)
    expect([answer.status, answer.headers['x-request-id'] !== undefined]).toEqual([200, true])
    expect(answer.body).toContain(expected)
  }
  const body = JSON.stringify({ query: '{__typename}' })
  const post = `POST /graphql HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n`
  expect((await ask(gateway, post, body)).body).toContain(ANSWER)
})

test.each([
  ['X-Forwarded-Host', 'x-forwarded-host: a:99999'],
  ['X-Forwarded-Proto', 'x-forwarded-proto: javascript'],
  ['X-Forwarded-Port', 'x-forwarded-port: 99999'],
  ['X-Forwarded-For', 'x-forwarded-for: %, , [, fe80::1%eth0'],
  ['Forwarded', 'forwarded: host="a:99999";proto=x'],
  [':authority', 'authority: a:99999'],
  ['Upgrade', 'connection: upgrade\r\nupgrade: h2c'],
  ['X-HTTP-Method-Override', 'x-http-method-override: TRACE'],
  ['Content-Length of a GET', 'content-length: 0'],
])('%s changes nothing in the answer', async (_what, header) => {
  const gateway = await startTestGateway({ env: { TRUSTED_PROXIES: '127.0.0.1,::1' } })
  const answer = await ask(gateway, `GET /graphql${QUERY} HTTP/1.1\r\nhost: a\r\n${JSON_TYPE}${header}\r\n`)
  expect([answer.status, answer.body.includes(ANSWER)]).toEqual([200, true])
})

test.each([
  ['a URL', `GET http://evil:1/graphql${QUERY} HTTP/1.1`, 200],
  ['a URL of another scheme', `GET https://evil/graphql${QUERY} HTTP/1.1`, 200],
  ['a URL in capitals', `GET HTTP://EVIL/graphql${QUERY} HTTP/1.1`, 200],
  ['a URL with a port that is none', `GET http://evil:99999/graphql${QUERY} HTTP/1.1`, 404],
  ['a URL without a host', `GET http:///graphql${QUERY} HTTP/1.1`, 404],
  ['a URL that is no path of ours', `GET ftp://evil/graphql${QUERY} HTTP/1.1`, 404],
  ['two slashes', `GET //x/graphql${QUERY} HTTP/1.1`, 404],
  ['two slashes and the path', `GET //graphql${QUERY} HTTP/1.1`, 404],
  ['two slashes and a port that is none', `GET //a:99999/graphql${QUERY} HTTP/1.1`, 404],
  ['a backslash', `GET /\\evil/graphql${QUERY} HTTP/1.1`, 404],
  ['a path that is escaped', `GET /%67raphql${QUERY} HTTP/1.1`, 404],
  ['a slash at its end', `GET /graphql/${QUERY} HTTP/1.1`, 404],
  ['another path', 'GET /etc/passwd HTTP/1.1', 404],
  ['a star', 'OPTIONS * HTTP/1.1', 204],
  ['a star of a GET', 'GET * HTTP/1.1', 404],
  ['a percent sign in the query', 'GET /graphql?query=% HTTP/1.1', 200],
  ['a fragment', `GET /graphql${QUERY}#x HTTP/1.1`, 200],
  ['HTTP/1.0', `GET /graphql${QUERY} HTTP/1.0`, 200],
])('a request target of %s is answered for what it is', async (_what, line, status) => {
  const { log, lines } = recordedLog()
  const gateway = await startTestGateway({ log })
  lines.length = 0
  const answer = await ask(gateway, `${line}\r\nhost: a\r\n${JSON_TYPE}`)
  expect([answer.status, answer.headers['x-request-id'] !== undefined]).toEqual([status, true])
  expect(answer.body).not.toMatch(INTERNALS)
  expect(lines.filter(({ level }) => level >= 40)).toEqual([])
})

test('no Host at all is a bad request, and CONNECT is not taken', async () => {
  const gateway = await startTestGateway()
  expect((await ask(gateway, `GET /graphql${QUERY} HTTP/1.1\r\n`)).status).toBe(400)
  expect((await ask(gateway, 'CONNECT evil:443 HTTP/1.1\r\nhost: evil:443\r\n')).received).toBe('')
})

const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'TRACE', 'PROPFIND')
const odd = fc.string({ unit: fc.constantFrom(...'/:@?#%[]\\.a0-_&=*\u00e9'.split('')), maxLength: 12 })
const target = fc.oneof(
  odd.map((text) => `/${text}`),
  odd.map((text) => `/graphql?${text}`),
  odd.map((text) => `http://${text}/graphql${QUERY}`),
  odd.map((text) => `//${text}/graphql${QUERY}`),
  fc.constant(`/graphql${QUERY}`),
)
const header = fc.tuple(
  fc.constantFrom('host', 'accept', 'origin', 'x-forwarded-host', 'x-forwarded-for', 'content-type', 'x-request-id'),
  fc.oneof(odd, fc.constantFrom('a:99999', 'text/html', 'application/json', 'text/event-stream', '*/*', 'null')),
)

test('whatever the request line and its headers are, no answer is a 500, and none tells of the machine', async () => {
  const { log, lines } = recordedLog()
  const gateway = await startTestGateway({ log })
  lines.length = 0
  const statistics = new Statistics('statuses', ['200', '204', '400', '404', '405', '406'])
  await fc.assert(
    fc.asyncProperty(method, target, fc.array(header, { maxLength: 4 }), async (verb, path, headers) => {
      const told = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
      const answer = await ask(gateway, `${verb} ${path} HTTP/1.1\r\nhost: a\r\n${told}`)
      const status = answer.received === '' ? 'none' : String(answer.status)
      statistics.count(status)
      expect(answer.received, path).not.toMatch(/HTTP\/1\.1 5\d\d/)
      // GraphiQL's page is nine megabytes of other people's code.
      if (!answer.headers['content-type']?.startsWith('text/html')) expect(answer.received, path).not.toMatch(INTERNALS)
    }),
    { numRuns: 1_500 },
  )
  statistics.report()
  expect(lines.filter(({ level }) => level >= 50)).toEqual([])
})
