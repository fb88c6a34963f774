import { hkdfSync, randomBytes } from 'node:crypto'
import { CompactEncrypt, compactDecrypt } from 'jose'
import { refused } from '../refusal.ts'

/** Binds the derived key to this purpose and form: a change of the form needs another name. */
const PURPOSE = 'sluice ticket 1'
const KEY_BYTES = 32
const ALGORITHM = 'dir'
const ENCRYPTION = 'A256GCM'

/**
 * Encrypts and authenticates the contents of tickets: JWE in compact form, whose characters are safe in a URL, with a
 * key derived from a secret that all instances share. AES-GCM with random nonces is good for four billion tickets.
 */
export class Seal {
  readonly #key: Uint8Array

  /** @param secret undefined: a random one, so that nobody else can read these tickets. */
  constructor(secret: string | Buffer = randomBytes(KEY_BYTES)) {
    this.#key = new Uint8Array(hkdfSync('sha256', secret, '', PURPOSE, KEY_BYTES))
  }

  close(contents: unknown): Promise<string> {
    return new CompactEncrypt(Buffer.from(JSON.stringify(contents)))
      .setProtectedHeader({ alg: ALGORITHM, enc: ENCRYPTION })
      .encrypt(this.#key)
  }

  /** @throws SluiceError `UNAUTHENTICATED` for what this secret has not sealed. */
  async open(ticket: string): Promise<unknown> {
    try {
      const { plaintext } = await compactDecrypt(ticket, this.#key, {
        keyManagementAlgorithms: [ALGORITHM],
        contentEncryptionAlgorithms: [ENCRYPTION],
      })
      return JSON.parse(Buffer.from(plaintext).toString())
    } catch {
      throw refused('The ticket is not valid here')
    }
  }
}
