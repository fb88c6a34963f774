import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { keysFile } from '../kit/api-keys.ts'

/** What the gateway under test believes: keys that tokens are signed with, API keys, and persisted operations. */
export interface Corpus {
  readonly env: Readonly<Record<string, string>>
  /** Tokens that are right, and that are wrong in one way each. */
  readonly tokens: readonly string[]
  readonly apiKeys: readonly string[]
  /** Where the API keys are, and what is there at the start. */
  readonly keysFile: { readonly path: string; readonly text: string }
  readonly operationIds: readonly string[]
}

const API_KEYS = ['the-key-of-acme', 'the-key-of-bolt']
const MANIFEST = {
  recent: 'query Recent { recentOrders(last: 2) { id } }',
  live: 'subscription Live { orders { id } }',
  other: 'query Other($region: Region) { recentOrders(region: $region) { id total { amount } } }',
}
const HOUR_S = 3600

export function makeCorpus(): Corpus {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-fuzz-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const keys = keysFile([
    { id: 'acme', key: API_KEYS[0] as string, scopes: ['orders:write'], bounds: { merchantId: ['m_1', 'm_2'] } },
    { id: 'bolt', key: API_KEYS[1] as string, scopes: ['orders:pii'] },
  ])
  return {
    keysFile: { path: keys, text: readFileSync(keys, 'utf8') },
    env: {
      AUTH_KEY_FILE: file('public.pem', pem),
      AUTH_ALGORITHMS: 'ES256',
      AUTH_ISSUER: 'https://issuer.example',
      AUTH_AUDIENCE: 'sluice',
      AUTH_COOKIE: 'session',
      ANONYMOUS: 'true',
      ANONYMOUS_SCOPES: 'orders:write',
      TICKET_SECRET: 'a-secret-of-thirty-two-characters!',
      API_KEYS_FILE: keys,
      PERSISTED_OPERATIONS: 'allowed',
      PERSISTED_OPERATIONS_FILE: file('manifest.json', JSON.stringify(MANIFEST)),
    },
    tokens: tokensOf(privateKey, other, pem),
    apiKeys: API_KEYS,
    operationIds: Object.keys(MANIFEST),
  }
}

function tokensOf(key: KeyObject, other: KeyObject, pem: string): string[] {
  const now = Math.floor(Date.now() / 1000)
  const usual = { sub: 'partner', iss: 'https://issuer.example', aud: 'sluice', exp: now + HOUR_S }
  const header = { alg: 'ES256', typ: 'JWT' }
  const claims: object[] = [
    usual,
    { ...usual, jti: 'one', scope: 'orders:pii', bounds: { merchantId: ['m_1'] }, history: 60 },
    { ...usual, scope: ['orders:pii', 1] },
    { ...usual, bounds: { merchantId: 'm_1' } },
    { ...usual, bounds: [] },
    { ...usual, bounds: { __proto__: null, constructor: ['x'], nope: [] } },
    { ...usual, history: -1 },
    { ...usual, history: '1e999' },
    { ...usual, sub: '' },
    { ...usual, sub: 'x'.repeat(300) },
    { ...usual, sub: 7 },
    { ...usual, exp: now - HOUR_S },
    { ...usual, exp: undefined },
    { ...usual, exp: 1e300 },
    { ...usual, exp: 'tomorrow' },
    { ...usual, nbf: now + HOUR_S },
    { ...usual, iss: 'https://other.example' },
    { ...usual, aud: ['other'] },
    { ...usual, extra: 'x'.repeat(9_000) },
  ]
  const signed = claims.map((each) => tokenOf(header, each, key))
  return [
    ...signed,
    tokenOf(header, usual, other),
    tokenOf({ ...header, kid: '../../etc/passwd' }, usual, key),
    tokenOf({ ...header, jku: 'http://127.0.0.1:1/jwks' }, usual, key),
    tokenOf({ ...header, jwk: other.export({ format: 'jwk' }) }, usual, other),
    tokenOf({ ...header, crit: ['nope'], nope: true }, usual, key),
    tokenOf({ ...header, zip: 'DEF' }, usual, key),
    unsigned({ alg: 'none' }, usual),
    unsigned({ alg: 'None' }, usual),
    hmacOf({ alg: 'HS256' }, usual, pem),
    'x.y.z',
    '..',
    'e30.e30.',
  ]
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function tokenOf(header: object, claims: object, key: KeyObject): string {
  const text = `${part(header)}.${part(claims)}`
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

function unsigned(header: object, claims: object): string {
  return `${part(header)}.${part(claims)}.`
}

/** Signed with the public key as if it were a secret. */
function hmacOf(header: object, claims: object, secret: string): string {
  const text = `${part(header)}.${part(claims)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}
