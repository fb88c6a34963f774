import { createHmac, generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, importSPKI, type JWK, SignJWT } from 'jose'
import { onTestFinished } from 'vitest'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface Issuer {
  readonly algorithm: string
  readonly kid: string
  readonly jwks: { keys: JWK[] }
  /** The public key; of a shared secret there is none. */
  readonly pem: string
  readonly privateKey: Parameters<SignJWT['sign']>[0]
  /** The path of a file with the JWKS. */
  keyFile(): string
  /** The URL of a server that publishes `jwks` as it is then. */
  serve(): Promise<string>
  /** A token with these claims; where they say nothing else, of `somebody`, and good for an hour. */
  sign(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>
}

/** Somebody who signs tokens. */
export async function makeIssuer({ algorithm = 'ES256', kid = String(randomUUID()) } = {}): Promise<Issuer> {
  const secret = algorithm.startsWith('HS') ? randomBytes(64) : undefined
  const { privateKey, pem } = secret ? { privateKey: secret, pem: '' } : keyPair(algorithm)
  const jwk: JWK = secret
    ? { kty: 'oct', k: secret.toString('base64url') }
    : await exportJWK(await importSPKI(pem, algorithm, { extractable: true }))
  const jwks = { keys: [{ ...jwk, kid, alg: algorithm, use: 'sig' }] }
  const key = privateKey as Issuer['privateKey']
  return {
    algorithm,
    kid,
    jwks,
    pem,
    privateKey: key,
    keyFile: () => fileWith('jwks.json', JSON.stringify(jwks)),
    serve: () => serveJwks((_request, response) => response.end(JSON.stringify(jwks))),
    sign(claims = {}, header = {}) {
      const all = { sub: 'somebody', exp: Math.floor(Date.now() / 1000) + 3600, ...claims }
      return new SignJWT(all).setProtectedHeader({ alg: algorithm, kid, ...header }).sign(key)
    },
  }
}

/** The URL of a server for a JWKS, which answers as this says; it ends with the test. */
export async function serveJwks(answer: Answer): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
}

/** The path of a file with this text, in a folder of its own that goes with the test. */
export function fileWith(name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** A token of any parts, for what no library signs: `sign` gets what is to be signed. */
export function tokenOf(
  header: unknown,
  claims: unknown,
  signature: (input: string) => Buffer | string = () => '',
): string {
  const input = [header, claims].map(encoded).join('.')
  return `${input}.${Buffer.from(signature(input)).toString('base64url')}`
}

export const hmac = (secret: string) => (input: string) => createHmac('sha256', secret).update(input).digest()

/** Signs as RS256 does. */
export const rsa = (key: KeyObject) => (input: string) => sign('sha256', Buffer.from(input), key)

function encoded(part: unknown): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
}

function keyPair(algorithm: string) {
  const { privateKey, publicKey } = pairOf(algorithm)
  return { privateKey, pem: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
}

function pairOf(algorithm: string) {
  if (/^[RP]S/.test(algorithm)) return generateKeyPairSync('rsa', { modulusLength: 2048 })
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519')
  return generateKeyPairSync('ec', { namedCurve: { ES256: 'P-256', ES384: 'P-384' }[algorithm] ?? 'P-521' })
}
