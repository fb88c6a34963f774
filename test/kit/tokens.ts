import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, exportSPKI, generateKeyPair, type JSONWebKeySet, type JWTPayload, SignJWT } from 'jose'
import { onTestFinished } from 'vitest'

export interface Issuer {
  readonly jwks: JSONWebKeySet
  readonly pem: string
  /** The path of a file with the public keys, which is gone when the test ends. */
  keyFile(): string
  /** A token with these claims, signed. */
  sign(claims: JWTPayload): Promise<string>
}

/** Who signs tokens: with a key of its own. */
export async function makeIssuer({ algorithm = 'ES256' }: { algorithm?: string } = {}): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true })
  const kid = 'test'
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' }] }
  return {
    jwks,
    pem: await exportSPKI(publicKey),
    keyFile() {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-keys-'))
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
      const file = join(folder, 'jwks.json')
      writeFileSync(file, JSON.stringify(jwks))
      return file
    },
    sign: (claims) => new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid }).sign(privateKey),
  }
}
