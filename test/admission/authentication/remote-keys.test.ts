import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freePorts } from '../../../deploy/kafka/probe.ts'
import { RemoteKeys, type RemoteKeysOptions } from '../../../src/admission/authentication/tokens/remote-keys.ts'
import { Tokens } from '../../../src/admission/authentication/tokens/tokens.ts'
import { ANONYMOUS } from '../../../src/schema/context.ts'
import { recordedLog } from '../../kit/log-lines.ts'
import { type Answer, type Issuer, makeIssuer, serveJwks } from '../../kit/tokens.ts'
import { until } from '../../kit/until.ts'

const first = await makeIssuer()
const second = await makeIssuer()
const third = await makeIssuer()

const say = (...issuers: Issuer[]): Answer => {
  const keys = issuers.flatMap(({ jwks }) => jwks.keys)
  return (_request, response) => void response.end(JSON.stringify({ keys }))
}
const never: Answer = () => {}

/** A server whose answer a test can change, and what is fetched from it. */
async function aRemote(answer: Answer, more: Partial<RemoteKeysOptions> = {}) {
  const server = { answer, requests: [] as IncomingMessage[] }
  const url = await serveJwks((request: IncomingMessage, response: ServerResponse) => {
    server.requests.push(request)
    server.answer(request, response)
  })
  const { log, lines } = recordedLog()
  const keys = new RemoteKeys({ url, algorithms: ['ES256'], log, cooldownMs: 0, ...more })
  onTestFinished(() => keys.close())
  const options = { algorithms: ['ES256'], issuer: undefined, audience: undefined, toleranceMs: 0, now: Date.now }
  const tokens = new Tokens({ ...options, keys, audienceOf: () => ANONYMOUS })
  const accepts = async (token: string) => {
    try {
      await tokens.identify(token)
      return 'accepted'
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  return { server, keys, tokens, accepts, lines, url }
}

test('a key is known from the first fetch on, and no token causes another', async () => {
  const { server, keys, accepts } = await aRemote(say(first))
  await keys.start()
  for (let i = 0; i < 20; i++) expect(await accepts(await first.sign({ i }))).toBe('accepted')
  expect(server.requests).toHaveLength(1)
})

test('a token with a new key is the reason to fetch them again, once for all that wait', async () => {
  const { server, keys, accepts } = await aRemote(say(first))
  await keys.start()
  server.answer = say(first, second)
  const tokens = await Promise.all(Array.from({ length: 50 }, (_, i) => second.sign({ i })))
  expect(new Set(await Promise.all(tokens.map(accepts)))).toEqual(new Set(['accepted']))
  expect(server.requests).toHaveLength(2)
})

test('made-up key names cause one fetch in the time of the cooldown', async () => {
  const { server, keys, accepts } = await aRemote(say(first), { cooldownMs: 3_600_000 })
  await keys.start()
  for (let i = 0; i < 50; i++) expect(await accepts(await third.sign({}, { kid: `x${i}` }))).toBe('UNAUTHENTICATED')
  expect(server.requests).toHaveLength(1)
})

test('a key that is withdrawn ends what was signed with it, also tokens that are known', async () => {
  const { server, keys, accepts, tokens } = await aRemote(say(first, second), { maxAgeMs: 50 })
  await keys.start()
  const [old, current] = [await first.sign(), await second.sign()]
  expect([await accepts(old), await accepts(current)]).toEqual(['accepted', 'accepted'])
  server.answer = say(second)
  await until('the keys are fetched again', () => keys.size === 1)
  expect([await accepts(old), await accepts(current)]).toEqual(['UNAUTHENTICATED', 'accepted'])
  expect(tokens.stats).toMatchObject({ verified: 2, known: 1 })
})

describe.each<[string, Answer]>([
  ['answers 500', (_request, response) => void response.writeHead(500).end('{"keys": []}')],
  ['answers with a redirect', (_request, response) => void response.writeHead(302, { location: '/other' }).end()],
  ['answers what is no JSON', (_request, response) => void response.end('<html>')],
  ['answers JSON that is no JWKS', (_request, response) => void response.end('{"jwks": []}')],
  ['answers null', (_request, response) => void response.end('null')],
  [
    'answers without end',
    (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(' '.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    },
  ],
  [
    'answers what is huge only decompressed',
    (_request, response) =>
      void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(64 * 1024 * 1024))),
  ],
  ['closes the connection', (request) => void request.socket.destroy()],
  ['begins and does not go on', (_request, response) => void response.write('{"keys": [')],
  ['does not answer', never],
])('an issuer that %s', (_what, broken) => {
  test('leaves the known keys as they are; with another one, a client is told to come back', async () => {
    const { server, keys, accepts, lines } = await aRemote(say(first), { timeoutMs: 200 })
    await keys.start()
    server.answer = broken
    expect(await accepts(await second.sign())).toBe('NOT_READY')
    expect(await accepts(await first.sign())).toBe('accepted')
    expect(keys.stats.failed).toBeGreaterThan(0)
    expect(lines.filter(({ level }) => level === 50)).toEqual([
      expect.objectContaining({ msg: 'The JWKS cannot be fetched', keys: 1 }),
    ])
    server.answer = say(first, second)
    await until('it is known again', async () => (await accepts(await second.sign())) === 'accepted')
  })

  test('does not keep the start: it is tried again by itself', async () => {
    const { server, keys, accepts } = await aRemote(broken, { timeoutMs: 100, retryMs: 20, cooldownMs: 3_600_000 })
    await keys.start()
    expect(await accepts(await first.sign())).toBe('NOT_READY')
    server.answer = say(first)
    await until('its keys are known', () => keys.size === 1)
    expect(await accepts(await first.sign())).toBe('accepted')
  })
})

test('an issuer that nobody listens at is one line a minute in the log, with its reason', async () => {
  const { log, lines } = recordedLog()
  const [port] = await freePorts(1)
  const keys = new RemoteKeys({ url: `http://127.0.0.1:${port}/`, algorithms: ['ES256'], log, retryMs: 1 })
  onTestFinished(() => keys.close())
  await keys.start()
  await until('it was tried several times', () => keys.stats.failed > 3)
  expect(lines).toHaveLength(1)
  expect(JSON.stringify(lines[0])).toContain('ECONNREFUSED')
})

test('of a set, keys that cannot be used are left out, and said in the log', async () => {
  const { keys, lines, accepts, server } = await aRemote(say(first))
  server.answer = (_request, response) =>
    void response.end(JSON.stringify({ keys: [7, { kty: 'oct', k: 'AAAA' }, ...first.jwks.keys, { kty: 'RSA' }] }))
  await keys.start()
  expect(keys.size).toBe(1)
  expect(await accepts(await first.sign())).toBe('accepted')
  expect(lines.map(({ msg }) => msg)).toEqual([expect.stringMatching(/^Of the JWKS, key 1 is no JWK/)])
})

test('an issuer that withdraws all keys is obeyed, loudly', async () => {
  const { server, keys, accepts, lines } = await aRemote(say(first), { maxAgeMs: 20 })
  await keys.start()
  const token = await first.sign()
  expect(await accepts(token)).toBe('accepted')
  server.answer = say()
  await until('there are none', () => keys.size === 0)
  expect(await accepts(token)).toBe('UNAUTHENTICATED')
  expect(lines.at(-1)?.msg).toMatch(/no key for ES256: no token is valid/)
})

test('closing ends a fetch under way, and the next one', async () => {
  const { keys, server } = await aRemote(never, { timeoutMs: 60_000 })
  const started = keys.start()
  await until('it is fetched', () => server.requests.length === 1)
  keys.close()
  await started
  expect(keys.stats).toEqual({ fetched: 0, failed: 0 })
})
