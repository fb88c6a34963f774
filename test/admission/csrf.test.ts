import { describe, expect, test } from 'vitest'
import { demandOwnPage } from '../../src/admission/csrf.ts'
import { schema } from '../../src/resolvers/schema.ts'
import { anEntry, openAdmission } from '../kit/admission.ts'
import { codeOf } from '../kit/errors.ts'

type Headers = Record<string, string>
const HOST = { host: 'api.example' }
const LISTED = 'https://shop.example'
const isListed = (origin: string) => origin === LISTED

const verdict = (headers: Headers) => codeOf(() => demandOwnPage({ headers: { ...HOST, ...headers } }, isListed))

describe('a request with a cookie passes', () => {
  test.each<[string, Headers]>([
    ['from a page of the same origin', { 'sec-fetch-site': 'same-origin' }],
    ['from the same origin, by POST', { 'sec-fetch-site': 'same-origin', origin: 'https://api.example' }],
    ['from the address line', { 'sec-fetch-site': 'none' }],
    ['from a listed origin', { 'sec-fetch-site': 'cross-site', origin: LISTED }],
    ['from a listed origin of the same site', { 'sec-fetch-site': 'same-site', origin: LISTED }],
    ['from a listed origin, of an old browser', { origin: LISTED }],
    ['from the same origin, of an old browser', { origin: 'https://api.example' }],
    ['with a header that a form cannot send', { 'x-csrf-token': '1' }],
    ["with a header of Apollo's", { 'apollo-require-preflight': 'true', 'sec-fetch-site': 'same-site' }],
    ['with a header of jQuery', { 'x-requested-with': 'XMLHttpRequest', origin: 'https://other.example' }],
  ])('%s', (_what, headers) => {
    expect(verdict(headers)).toBeUndefined()
  })
})

describe('a request with a cookie is refused', () => {
  test.each<[string, Headers]>([
    ['from another site', { 'sec-fetch-site': 'cross-site' }],
    ['from another site, by POST', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['from another host of the same site', { 'sec-fetch-site': 'same-site', origin: 'https://blog.api.example' }],
    ['from a sandboxed frame', { 'sec-fetch-site': 'cross-site', origin: 'null' }],
    ['from a sandboxed frame, whatever else it says', { 'sec-fetch-site': 'same-origin', origin: 'null' }],
    ['from a sandboxed frame with a header', { origin: 'null', 'x-csrf-token': '1' }],
    ['from an origin that is not listed, of an old browser', { origin: 'https://evil.example' }],
    ['from a host that looks like it', { origin: 'https://api.example.evil.example' }],
    ['from another port of the host', { origin: 'https://api.example:8443' }],
    [
      'from the host without TLS, of a browser that says so',
      { 'sec-fetch-site': 'cross-site', origin: 'http://api.example' },
    ],
    ['that does not say where it is from', {}],
    ['with an origin that is none', { origin: 'api.example' }],
    ['with an empty origin', { origin: '' }],
    ['with an empty header', { 'x-csrf-token': '' }],
    ['with an odd site', { 'sec-fetch-site': 'Same-Origin' }],
  ])('%s', (_what, headers) => {
    expect(verdict(headers)).toBe('FORBIDDEN')
  })

  test('where it has no Host, whatever the origin is', () => {
    expect(codeOf(() => demandOwnPage({ headers: { origin: 'x' } }, () => false))).toBe('FORBIDDEN')
  })
})

describe('admission', () => {
  const admission = openAdmission(schema, { cookie: 'session', isListedOrigin: isListed })
  const FORGED = { ...HOST, 'sec-fetch-site': 'cross-site' }

  test.each(['GET', 'POST', 'PUT', 'DELETE'])('asks where a cookie came from: %s', async (method) => {
    const cookie = 'theme=dark; session=token'
    const forged = anEntry({ method, headers: { ...FORGED, cookie } })
    await expect(admission.identify(forged)).rejects.toMatchObject({ code: 'FORBIDDEN', status: 403 })
    const own = anEntry({ method, headers: { ...HOST, 'sec-fetch-site': 'same-origin', cookie } })
    await expect(admission.identify(own)).resolves.toBeDefined()
  })

  test.each(['session=a', ' session =a', 'x; session=', 'session', 'a=b;session=c;session=d'])(
    'finds the cookie in %j',
    async (cookie) => {
      await expect(admission.identify(anEntry({ headers: { ...FORGED, cookie } }))).rejects.toThrow(/cookie/)
    },
  )

  test.each([undefined, '', 'theme=session', 'sessions=a', 'my_session=a'])(
    'asks nobody whose credentials no browser adds: %j',
    async (cookie) => {
      const headers = { ...FORGED, ...(cookie !== undefined && { cookie }) }
      await expect(admission.identify(anEntry({ headers }))).resolves.toBeDefined()
    },
  )

  test('asks nobody where no cookie is configured', async () => {
    const entry = anEntry({ headers: { ...FORGED, cookie: 'session=a' } })
    await expect(openAdmission(schema).identify(entry)).resolves.toBeDefined()
  })
})
