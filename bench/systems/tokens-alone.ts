/** Signed tokens, and what verifying them costs in this process, apart from everything else. */
import { exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose'

const ALGORITHM = 'ES256'
const LIFE_S = 3600

export interface Signer {
  /** The text of `AUTH_KEY_FILE`. */
  readonly keyFile: string
  /** As many tokens, each of another principal. */
  sign(count: number): Promise<string[]>
  /** CPU of this process in µs for verifying one, one after the other: as a gateway meets them. */
  usOfVerifying(tokens: readonly string[]): Promise<number>
}

export async function makeSigner(): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM)
  const keys: JWK[] = [{ ...(await exportJWK(publicKey)), kid: 'bench' }]
  let principals = 0
  return {
    keyFile: JSON.stringify({ keys }),
    async sign(count) {
      const exp = Math.floor(Date.now() / 1000) + LIFE_S
      const tokens: string[] = []
      for (let i = 0; i < count; i++) {
        const claims = { sub: `principal-${principals++}`, jti: `token-${principals}`, exp }
        tokens.push(await new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, kid: 'bench' }).sign(privateKey))
      }
      return tokens
    },
    async usOfVerifying(tokens) {
      const before = process.cpuUsage()
      for (const token of tokens) await jwtVerify(token, publicKey, { algorithms: [ALGORITHM] })
      const { user, system } = process.cpuUsage(before)
      return (user + system) / tokens.length
    },
  }
}
