import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { makeCertificate } from '../../../deploy/nginx/certificate.ts'
import { keysOfFile } from '../../../src/admission/authentication/tokens/key-file.ts'
import { verifyToken } from '../../../src/admission/authentication/tokens/verify.ts'
import { onPath } from '../../kit/chromium.ts'
import { fileWith, makeIssuer } from '../../kit/tokens.ts'

const RS = ['RS256']
const rsa = await makeIssuer({ algorithm: 'RS256' })
const ec = await makeIssuer({ algorithm: 'ES256' })
const hs = await makeIssuer({ algorithm: 'HS256' })

async function accepts(file: string, token: string, algorithms: readonly string[]): Promise<boolean> {
  const keys = await keysOfFile(file, algorithms)
  const options = { keys, algorithms, issuer: undefined, audience: undefined, toleranceMs: 0, now: Date.now }
  return verifyToken(token, options).then(
    () => true,
    () => false,
  )
}

describe('keys are read of', () => {
  test('a public key in PEM, whatever the name of the key that a token has', async () => {
    expect(await accepts(rsa.pem, await rsa.sign(), RS)).toBe(true)
    expect(await accepts(`# ours\n${rsa.pem}`, await rsa.sign({}, { kid: undefined }), RS)).toBe(true)
  })

  test('several in one file, of several kinds', async () => {
    const another = await makeIssuer({ algorithm: 'RS256' })
    const file = `${another.pem}\n${ec.pem}\n${rsa.pem}`
    for (const one of [rsa, another]) expect(await accepts(file, await one.sign(), RS)).toBe(true)
    expect(await accepts(file, await ec.sign(), ['RS256', 'ES256'])).toBe(true)
  })

  test.skipIf(!onPath(['openssl']))('an X.509 certificate, made by openssl', async () => {
    const { certificate, certificateKey } = await makeCertificate(dirname(fileWith('x', '')))
    const token = await new SignJWT({ sub: 'a', exp: Math.floor(Date.now() / 1000) + 60 })
      .setProtectedHeader({ alg: 'ES256' })
      .sign(createPrivateKey(readFileSync(certificateKey)))
    expect(await accepts(readFileSync(certificate, 'utf8'), token, ['ES256'])).toBe(true)
  })

  test('a JWKS, by the names of its keys, and of one JWK', async () => {
    const jwks = JSON.stringify({ keys: [...ec.jwks.keys, ...rsa.jwks.keys] })
    expect(await accepts(jwks, await rsa.sign(), RS)).toBe(true)
    expect(await accepts(jwks, await rsa.sign({}, { kid: 'another' }), RS)).toBe(false)
    expect(await accepts(JSON.stringify(rsa.jwks.keys[0]), await rsa.sign(), RS)).toBe(true)
  })

  test('a shared secret, where an HS algorithm is named', async () => {
    expect(await accepts(JSON.stringify(hs.jwks), await hs.sign(), ['HS256'])).toBe(true)
  })

  test('a JWKS with keys for encryption, which are left out', async () => {
    const keys = [{ ...rsa.jwks.keys[0], use: 'enc', alg: 'RSA-OAEP' }, ...rsa.jwks.keys]
    expect((await keysOfFile(JSON.stringify({ keys }), RS)).size).toBe(1)
  })
})

const privatePem = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
const jwksWith = (...keys: unknown[]) => JSON.stringify({ keys })

describe('the start is refused in one line for', () => {
  test.each<[string, string, string[], RegExp]>([
    ['a private key', privatePem.export({ type: 'pkcs8', format: 'pem' }).toString(), RS, /has a private key/],
    [
      'a private key of another form',
      privatePem.export({ type: 'pkcs1', format: 'pem' }).toString(),
      ['HS256'],
      /has a private key/,
    ],
    ['a private JWK', jwksWith(privatePem.export({ format: 'jwk' })), RS, /key 1 is a private key/],
    [
      'a shared secret where no HS algorithm is named',
      JSON.stringify(hs.jwks),
      RS,
      /key 1 is a shared secret, and AUTH_ALG/,
    ],
    ['a short secret', jwksWith({ kty: 'oct', k: 'c2hvcnQ' }), ['HS256'], /shorter than the 32 bytes that HS256 needs/],
    ['a public key as a secret', rsa.pem, ['HS256'], /no key for HS256/],
    ['a short RSA key', short.export({ type: 'spki', format: 'pem' }).toString(), RS, /has 1024 bits/],
    ['keys of other algorithms', ec.pem, RS, /no key for RS256/],
    ['no keys', jwksWith(), RS, /no key for RS256/],
    ['a key that is none', jwksWith({ kty: 'RSA', n: 'AQAB' }), RS, /key 1 cannot be read/],
    ['a key that is no object', jwksWith(7), RS, /key 1 is no JWK/],
    ['broken JSON', '{"keys": [', RS, /not valid JSON/],
    ['other JSON', '{"a": 1}', RS, /no JWKS/],
    ['other text', 'hello', RS, /neither PEM nor a JWKS/],
    ['nothing', '', RS, /neither PEM nor a JWKS/],
    [
      'a request for a certificate',
      '-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----',
      RS,
      /a public key is wanted/,
    ],
    ['a damaged key', '-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----', RS, /cannot be read/],
    ['too many keys', jwksWith(...Array(101).fill(rsa.jwks.keys[0])), RS, /more than 100 keys/],
  ])('%s', async (_what, file, algorithms, sentence) => {
    const error = await keysOfFile(file, algorithms).then(
      () => undefined,
      (refusal: Error) => refusal,
    )
    expect(error?.message).toMatch(/^AUTH_KEY_FILE /)
    expect(error?.message).toMatch(sentence)
    expect(error?.message).not.toContain('\n')
  })
})
