import { createPublicKey, X509Certificate } from 'node:crypto'
import { type KeySet, MAX_KEYS, readKeys } from './key-set.ts'

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g
const PUBLIC_LABELS = ['PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE']

/**
 * The keys of the text of `AUTH_KEY_FILE`: PEM (public keys and X.509 certificates, one or several), or a JWKS, or one
 * JWK. Of a certificate only the key is read: its dates and its issuer decide nothing here.
 * @throws Error with one sentence that says what cannot be used.
 */
export async function keysOfFile(text: string, algorithms: readonly string[]): Promise<KeySet> {
  const jwks = text.trimStart().startsWith('{') ? jwksOf(text) : pemKeys(text)
  const { keys, problems } = await readKeys(jwks, algorithms)
  if (problems.length > 0) throw new Error(`AUTH_KEY_FILE cannot be used: ${problems.join(', ')}`)
  if (keys.size === 0) throw new Error(`AUTH_KEY_FILE has no key for ${algorithms.join(', ')} (AUTH_ALGORITHMS)`)
  return keys
}

function jwksOf(text: string): unknown[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error('AUTH_KEY_FILE is not valid JSON, and does not begin as PEM does')
  }
  const { keys, kty } = value as { keys?: unknown; kty?: unknown }
  if (Array.isArray(keys)) return keys
  if (kty !== undefined) return [value]
  throw new Error('AUTH_KEY_FILE is JSON, but no JWKS: it has no "keys"')
}

function pemKeys(text: string): unknown[] {
  const blocks = [...text.matchAll(PEM_BLOCK)]
  if (blocks.length === 0) throw new Error('AUTH_KEY_FILE has neither PEM nor a JWKS')
  return blocks.slice(0, MAX_KEYS + 1).map(([pem, label = '']) => {
    if (label.includes('PRIVATE')) throw new Error('AUTH_KEY_FILE has a private key: the public one is wanted')
    if (!PUBLIC_LABELS.includes(label)) throw new Error(`AUTH_KEY_FILE has a "${label}": a public key is wanted`)
    try {
      const key = label === 'CERTIFICATE' ? new X509Certificate(pem).publicKey : createPublicKey(pem)
      return key.export({ format: 'jwk' })
    } catch {
      throw new Error(`AUTH_KEY_FILE has a "${label}" that cannot be read`)
    }
  })
}
