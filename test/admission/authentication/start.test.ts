import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { openAuthentication } from '../../../src/admission/authentication/open.ts'
import { type ConfigError, readConfig } from '../../../src/config.ts'
import { ANONYMOUS } from '../../../src/schema/context.ts'
import { anEntry } from '../../kit/admission.ts'
import { keysFile } from '../../kit/api-keys.ts'
import { recordedLog } from '../../kit/log-lines.ts'
import { ended, listening, logged, main } from '../../kit/main-process.ts'
import { fileWith, makeIssuer } from '../../kit/tokens.ts'
import { until } from '../../kit/until.ts'

const issuer = await makeIssuer()
const privateKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
})

describe('the start is refused with one fatal line', () => {
  test.each<[string, () => Record<string, string>, RegExp]>([
    [
      'a private key',
      () => ({ AUTH_KEY_FILE: fileWith('key.pem', String(privateKey)) }),
      /^AUTH_KEY_FILE has a private key/,
    ],
    [
      'a broken file of API keys',
      () => ({ API_KEYS_FILE: fileWith('keys.json', '[{') }),
      /^API_KEYS_FILE cannot be used: it is not valid JSON$/,
    ],
    [
      'no file of API keys',
      () => ({ API_KEYS_FILE: '/no/such/file' }),
      /^API_KEYS_FILE cannot be used: there is no such file$/,
    ],
  ])('for %s', async (_what, env, sentence) => {
    const run = main([], env())
    expect(await ended(run)).toEqual({ code: 1, signal: null })
    expect(run.err).toBe('')
    expect(logged(run).filter(({ level }) => level === 60)).toEqual([
      expect.objectContaining({ msg: expect.stringMatching(sentence) }),
    ])
  })
})

test('a gateway whose file of API keys breaks while it runs goes on, loudly', async () => {
  const path = keysFile([{ id: 'acme', key: 'k' }])
  const run = main([], { API_KEYS_FILE: path, DEMO_RATE: '0' })
  const { graphql, admin } = await listening(run)
  const ask = (key: string) => fetch(`${graphql}?query=%7B__typename%7D`, { headers: { 'x-api-key': key } })
  expect((await ask('k')).status).toBe(200)
  writeFileSync(path, 'no JSON')
  await until('it says so', () => logged(run).some(({ level }) => level === 50))
  expect(await (await fetch(`${admin}/metrics`)).text()).toMatch(/^sluice_api_keys_file_broken\{.*\} 1$/m)
  expect([(await ask('k')).status, (await ask('x')).status]).toEqual([200, 401])
  expect((await fetch(`${graphql}?query=%7B__typename%7D`)).status).toBe(401)
})

test('an issuer that cannot be reached does not keep a gateway from starting', async () => {
  const run = main([], { AUTH_JWKS_URL: 'http://127.0.0.1:9999/', DEMO_RATE: '0' })
  const { graphql } = await listening(run)
  const headers = { authorization: `Bearer ${await issuer.sign()}` }
  expect((await fetch(`${graphql}?query=%7B__typename%7D`, { headers })).status).toBe(503)
})

/** Authentication as these variables configure it, and what it says. */
async function opened(env: Record<string, string>) {
  const { log, lines } = recordedLog()
  const config = readConfig(env)
  const authentication = await openAuthentication({ config, log, audienceOf: () => ANONYMOUS })
  authentication.close()
  return { authentication, warnings: lines.map(({ msg }) => msg) }
}

test('what is weak is said at the start', async () => {
  const tokens = { AUTH_KEY_FILE: issuer.keyFile() }
  const kafka = { KAFKA_BROKERS: 'a:9092' }
  const said = async (env: Record<string, string>) => (await opened(env)).warnings.map((line) => line.split(' ', 1)[0])
  expect(await said({})).toEqual([])
  expect(await said(kafka)).toEqual([])
  expect(await said(tokens)).toEqual(['AUTH_AUDIENCE'])
  expect(await said({ ...tokens, ...kafka })).toEqual(['AUTH_AUDIENCE', 'TICKET_SECRET'])
  expect(await said({ ...tokens, ...kafka, AUTH_AUDIENCE: 'a', TICKET_SECRET: 's'.repeat(32) })).toEqual([])
})

test('issuer, audience, algorithms and the tolerance of clocks are those of the configuration', async () => {
  const { authentication } = await opened({
    AUTH_KEY_FILE: issuer.keyFile(),
    AUTH_ISSUER: 'https://id.example',
    AUTH_AUDIENCE: 'a, b',
    AUTH_CLOCK_TOLERANCE_MS: '60000',
  })
  const now = Math.floor(Date.now() / 1000)
  const right = { iss: 'https://id.example', aud: 'b', exp: now - 50 }
  const outcome = async (claims: object) => {
    const authorization = `Bearer ${await issuer.sign({ ...right, ...claims })}`
    const entry = anEntry({ headers: { authorization }, rawHeaders: ['Authorization', authorization] })
    return Promise.resolve(authentication.identify(entry)).then(
      () => 'accepted',
      (error: { code: string }) => error.code,
    )
  }
  expect(await outcome({})).toBe('accepted')
  expect(await outcome({ exp: now - 70 })).toBe('SESSION_EXPIRED')
  expect(await outcome({ iss: 'https://other.example' })).toBe('UNAUTHENTICATED')
  expect(await outcome({ aud: 'c' })).toBe('UNAUTHENTICATED')
  const other = await opened({ AUTH_KEY_FILE: issuer.keyFile(), AUTH_ALGORITHMS: 'RS256' }).catch(
    (error: Error) => error,
  )
  expect((other as Error).message).toMatch(/has no key for RS256/)
})

test('shared secrets come from a file, not from a URL', () => {
  const env = { AUTH_JWKS_URL: 'https://a.example/', AUTH_ALGORITHMS: 'ES256,HS256' }
  try {
    readConfig(env)
    expect.unreachable()
  } catch (error) {
    expect((error as ConfigError).problems).toEqual([
      expect.stringMatching(/^HS256, HS384 and HS512 in AUTH_ALGORITHMS/),
    ])
  }
})
