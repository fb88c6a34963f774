import { SluiceError } from '../../errors/codes.ts'

/** Of ids that are a document's SHA-256 in hex (GraphQL over HTTP, appendix "Persisted Documents"). */
const SHA256 = 'sha256:'
const APQ_VERSION = 1

/**
 * The id by which a request names its operation: `documentId` (GraphQL over HTTP), or `extensions.persistedQuery`
 * (Apollo and others).
 * @throws SluiceError `BAD_REQUEST` for one of the wrong type, or two that differ.
 */
export function operationIdOf(
  documentId: unknown,
  extensions: Readonly<Record<string, unknown>> | undefined,
): string | undefined {
  const named = textOf(documentId, '"documentId"')
  const hashed = persistedQueryHash(extensions?.persistedQuery)
  if (named !== undefined && hashed !== undefined && withoutPrefix(named) !== withoutPrefix(hashed)) {
    throw new SluiceError('BAD_REQUEST', '"documentId" and "extensions.persistedQuery" name different operations')
  }
  return named ?? hashed
}

/** The hash of an id that is one. */
export function withoutPrefix(id: string): string {
  return id.startsWith(SHA256) ? id.slice(SHA256.length) : id
}

function persistedQueryHash(given: unknown): string | undefined {
  if (given === undefined || given === null || given === '') return undefined
  const { version, sha256Hash } = given as Record<string, unknown>
  if (version !== APQ_VERSION) {
    throw new SluiceError('BAD_REQUEST', `"extensions.persistedQuery" must have the version ${APQ_VERSION}`)
  }
  const hash = textOf(sha256Hash, '"extensions.persistedQuery.sha256Hash"')
  if (hash === undefined) throw new SluiceError('BAD_REQUEST', '"extensions.persistedQuery" has no "sha256Hash"')
  return hash
}

/** An empty one is an absent one. */
function textOf(value: unknown, what: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw new SluiceError('BAD_REQUEST', `${what} must be a string`)
  return value
}
