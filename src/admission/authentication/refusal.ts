import { SluiceError } from '../../errors/codes.ts'

/** A request without credentials, where some are needed. */
export class CredentialsMissing extends SluiceError {
  constructor() {
    super('UNAUTHENTICATED', 'The request has no credentials, and some are needed here')
  }
}

/**
 * Credentials that are not accepted. The sentence has nothing of the credentials themselves: it goes to logs of clients
 * and proxies.
 */
export function refused(sentence: string): SluiceError {
  return new SluiceError('UNAUTHENTICATED', sentence)
}

export function expired(sentence: string): SluiceError {
  return new SluiceError('SESSION_EXPIRED', sentence)
}

/** The value of `WWW-Authenticate` in an answer of status 401 (RFC 6750 section 3: no error without credentials). */
export function challengeOf(error: SluiceError): string {
  if (error instanceof CredentialsMissing) return 'Bearer realm="sluice"'
  // The grammar of a description has neither quotes nor backslashes nor anything beyond ASCII.
  const description = error.message.replaceAll(/[^ !#-[\]-~]/g, ' ')
  return `Bearer realm="sluice", error="invalid_token", error_description="${description}"`
}
