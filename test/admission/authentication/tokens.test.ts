import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { CompactEncrypt } from 'jose'
import { describe, expect, test } from 'vitest'
import { keysOfFile } from '../../../src/admission/authentication/tokens/key-file.ts'
import { Tokens, type TokensOptions } from '../../../src/admission/authentication/tokens/tokens.ts'
import { ANONYMOUS } from '../../../src/schema/context.ts'
import { hmac, type Issuer, makeIssuer, rsa, tokenOf } from '../../kit/tokens.ts'

const NOW_S = 1_800_000_000
const TOLERANCE_MS = 5_000
const issuer = await makeIssuer({ algorithm: 'RS256' })
const other = await makeIssuer({ algorithm: 'RS256', kid: issuer.kid })
const LEAST = { sub: 'acme', iss: 'https://id.example', aud: 'sluice', exp: NOW_S + 60 }

interface Clock {
  ms: number
}

async function tokensOf(of: Issuer, clock: Clock, more: Partial<TokensOptions> = {}): Promise<Tokens> {
  const algorithms = more.algorithms ?? [of.algorithm]
  return new Tokens({
    keys: await keysOfFile(JSON.stringify(of.jwks), algorithms),
    algorithms,
    issuer: 'https://id.example',
    audience: ['other', 'sluice'],
    toleranceMs: TOLERANCE_MS,
    audienceOf: () => ANONYMOUS,
    now: () => clock.ms,
    ...more,
  })
}

async function outcome(act: () => unknown): Promise<string> {
  try {
    await act()
    return 'accepted'
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    return `${code}: ${message}`
  }
}

describe.each([
  'RS256',
  'PS256',
  'ES256',
  'EdDSA',
  'RS384',
  'RS512',
  'PS384',
  'PS512',
  'ES384',
  'ES512',
  'HS256',
  'HS384',
  'HS512',
])('a token signed with %s', (algorithm) => {
  test('is accepted with its key, and refused with another', async () => {
    const [mine, another] = [await makeIssuer({ algorithm }), await makeIssuer({ algorithm })]
    const tokens = await tokensOf(mine, { ms: NOW_S * 1000 })
    const { principal } = await tokens.identify(await mine.sign(LEAST))
    expect(principal).toMatchObject({ id: 'acme', kind: 'token', expiresAt: LEAST.exp * 1000 + TOLERANCE_MS })
    expect(await outcome(async () => tokens.identify(await another.sign(LEAST, { kid: mine.kid })))).toBe(
      'UNAUTHENTICATED: The token is signed with a key that is not valid here',
    )
  })
})

const SIGNED = 'is signed with a key that is not valid here'
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const PRIVATE = pair.privateKey
/** Signed as it should be, whatever it is. */
const signed = rsa(issuer.privateKey as KeyObject)
const { kid } = issuer
const RS = { alg: 'RS256', kid }

/** What is wrong with a token, and how it is said; the token is also looked for in the sentence. */
const REFUSED: [string, () => string | Promise<string>, RegExp][] = [
  ['is expired', () => issuer.sign({ ...LEAST, exp: NOW_S - 5 }), /^SESSION_EXPIRED: The token has expired/],
  ['is not valid yet', () => issuer.sign({ ...LEAST, nbf: NOW_S + 6 }), /not valid yet \("nbf"\)/],
  ['has no end', () => issuer.sign({ ...LEAST, exp: undefined }), /has no claim "exp"/],
  ['has an end that is text', () => issuer.sign({ ...LEAST, exp: '9' }), /claim "exp" of the token is not valid/],
  ['has a start that is text', () => issuer.sign({ ...LEAST, nbf: 'x' }), /not valid yet|claim "nbf"/],
  ['has no sub', () => issuer.sign({ ...LEAST, sub: undefined }), /claim "sub"/],
  ['is of another issuer', () => issuer.sign({ ...LEAST, iss: 'https://evil.example' }), /another issuer/],
  ['is of no issuer', () => issuer.sign({ ...LEAST, iss: undefined }), /no claim "iss"/],
  ['is for another audience', () => issuer.sign({ ...LEAST, aud: ['x', 'y'] }), /another audience/],
  ['is for no audience', () => issuer.sign({ ...LEAST, aud: undefined }), /no claim "aud"/],
  ['has bounds of another form', () => issuer.sign({ ...LEAST, bounds: { merchantId: 'm' } }), /claim "bounds"/],
  ['is signed with another key of that name', () => other.sign(LEAST), new RegExp(SIGNED)],
  ['is signed with a key of another name', () => other.sign(LEAST, { kid: 'x' }), new RegExp(SIGNED)],
  ['is signed by alg none', () => tokenOf({ alg: 'none', kid }, LEAST), /algorithm that is not accepted/],
  ['is signed by alg None', () => tokenOf({ alg: 'None', kid }, LEAST), /algorithm that is not accepted/],
  ['says no alg', () => tokenOf({ kid }, LEAST), /no signed JWT|algorithm that is not accepted/],
  [
    'says an alg that is no text',
    () => tokenOf({ alg: ['RS256'], kid }, LEAST),
    /no signed JWT|algorithm that is not accepted/,
  ],
  [
    'is signed with the public key as a secret',
    () => tokenOf({ alg: 'HS256', kid }, LEAST, hmac(issuer.pem)),
    /algorithm that is not accepted/,
  ],
  ['says that, and is signed with another algorithm', () => tokenOf(RS, LEAST, hmac(issuer.pem)), new RegExp(SIGNED)],
  [
    'has an algorithm that is not configured',
    async () => (await makeIssuer({ algorithm: 'ES256' })).sign(LEAST, { kid }),
    /algorithm/,
  ],
  ['has no signature', () => tokenOf(RS, LEAST), new RegExp(SIGNED)],
  [
    'has an embedded key',
    () => tokenOf({ ...RS, jwk: pair.publicKey.export({ format: 'jwk' }) }, LEAST, rsa(PRIVATE)),
    new RegExp(SIGNED),
  ],
  [
    'has the URL of a key',
    () => tokenOf({ ...RS, jku: 'http://127.0.0.1:1/' }, LEAST, rsa(PRIVATE)),
    new RegExp(SIGNED),
  ],
  [
    'demands an extension',
    () => tokenOf({ ...RS, crit: ['exp2'], exp2: 1 }, LEAST, signed),
    /extension that is not known/,
  ],
  [
    'demands an extension that it has not',
    () => tokenOf({ ...RS, crit: ['b'] }, LEAST, signed),
    /extension|no signed JWT/,
  ],
  [
    'has an unencoded payload',
    () => tokenOf({ ...RS, crit: ['b64'], b64: false }, LEAST, signed),
    /no signed JWT|is signed with/,
  ],
  ['is for a logout', () => issuer.sign(LEAST, { typ: 'logout+jwt' }), /type that gives no access/],
  ['has a typ that is a number', () => tokenOf({ ...RS, typ: 1 }, LEAST), /no signed JWT|type that gives no access/],
  ['contains another', () => issuer.sign(LEAST, { cty: 'JWT' }), /contains another/],
  ['has a kid that is a number', () => tokenOf({ ...RS, kid: 1 }, LEAST), /no signed JWT|name of the key/],
  ['has a kid that is very long', () => tokenOf({ ...RS, kid: 'k'.repeat(513) }, LEAST), /name of the key/],
  [
    'is encrypted',
    () =>
      new CompactEncrypt(Buffer.from('{}'))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .encrypt(new Uint8Array(32)),
    /is encrypted/,
  ],
  ['is no JSON', () => tokenOf('x', LEAST), /no signed JWT/],
  ['has claims that are no JSON', () => tokenOf(RS, 'x', signed), /no signed JWT/],
  ['has claims that are a list', () => tokenOf(RS, [], signed), /no signed JWT/],
  ['has claims that are null', () => tokenOf(RS, 'null', signed), /no signed JWT/],
  ['has four parts', () => 'a.b.c.d', /no signed JWT/],
  ['is nothing of the kind', () => 'x', /no signed JWT/],
  ['is dots', () => '..', /no signed JWT/],
]

test.each(REFUSED)('a token that %s is refused, in a sentence without it, and again', async (_what, make, sentence) => {
  const tokens = await tokensOf(issuer, { ms: NOW_S * 1000 })
  const token = await make()
  for (let i = 0; i < 2; i++) {
    const said = await outcome(() => tokens.identify(token))
    expect(said).toMatch(sentence)
    expect(said).toMatch(/^(UNAUTHENTICATED|SESSION_EXPIRED): /)
    for (const part of token.split('.').filter((each) => each.length > 3)) expect(said).not.toContain(part)
  }
})

test.each(['JWT', 'jwt', 'at+jwt', 'application/at+jwt', undefined])('a token of type %s gives access', async (typ) => {
  const tokens = await tokensOf(issuer, { ms: NOW_S * 1000 })
  expect(await outcome(async () => tokens.identify(await issuer.sign(LEAST, { typ })))).toBe('accepted')
})

test('clocks may differ by the tolerance, in both directions', async () => {
  const clock = { ms: NOW_S * 1000 }
  const tokens = await tokensOf(issuer, clock)
  expect(await outcome(async () => tokens.identify(await issuer.sign({ ...LEAST, nbf: NOW_S + 5 })))).toBe('accepted')
  expect(await outcome(async () => tokens.identify(await issuer.sign({ ...LEAST, exp: NOW_S - 4 })))).toBe('accepted')
})

describe('a verified token', () => {
  test('is known by its digest: the same identity, and no second verification', async () => {
    const tokens = await tokensOf(issuer, { ms: NOW_S * 1000 })
    const token = await issuer.sign(LEAST)
    const first = await tokens.identify(token)
    const second = tokens.identify(token)
    expect(second).toBe(first)
    expect(tokens.stats).toEqual({ verified: 1, known: 1, refused: 0 })
  })

  test('is refused from its end on, to the millisecond, though it is known', async () => {
    const clock = { ms: NOW_S * 1000 }
    const tokens = await tokensOf(issuer, clock)
    const token = await issuer.sign(LEAST)
    await tokens.identify(token)
    clock.ms = LEAST.exp * 1000 + TOLERANCE_MS - 1
    expect(await outcome(() => tokens.identify(token))).toBe('accepted')
    clock.ms++
    expect(await outcome(() => tokens.identify(token))).toMatch(/^SESSION_EXPIRED/)
    expect(tokens.stats.verified).toBe(1)
  })

  test('is verified once for a thousand requests that come with it at once', async () => {
    const tokens = await tokensOf(issuer, { ms: NOW_S * 1000 })
    const token = await issuer.sign(LEAST)
    const identities = await Promise.all(Array.from({ length: 1_000 }, () => tokens.identify(token)))
    expect(new Set(identities).size).toBe(1)
    expect(tokens.stats.verified).toBe(1)
  })

  test('that was changed by one character is another one', async () => {
    const tokens = await tokensOf(issuer, { ms: NOW_S * 1000 })
    const token = await issuer.sign(LEAST)
    await tokens.identify(token)
    const at = token.lastIndexOf('.') + 10
    const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
    expect(await outcome(() => tokens.identify(changed))).toMatch(SIGNED)
  })

  test('is one of so many that the cache is within its budget', async () => {
    const hs = await makeIssuer({ algorithm: 'HS256' })
    const tokens = await tokensOf(hs, { ms: NOW_S * 1000 })
    const padding = 'x'.repeat(5_000)
    for (let i = 0; i < 200; i++) await tokens.identify(await hs.sign({ ...LEAST, padding, i }))
    expect(tokens.cacheBytes).toBeGreaterThan(200 * 10_000)
    expect(tokens.cacheBytes).toBeLessThanOrEqual(64 * 1024 * 1024)
  })
})
