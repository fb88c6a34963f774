/** An operation that a manifest names. */
export interface ManifestEntry {
  readonly id: string
  readonly text: string
  /** For people: the log names it so. */
  readonly name: string | undefined
}

/** Size limit of a file: twice what 10,000 operations of 1.6 KB take, with the fragments that each repeats. */
export const MAX_MANIFEST_BYTES = 32 * 1024 * 1024
/** Limit of operations: each is parsed and validated at the start, in about a millisecond. */
const MAX_ENTRIES = 10_000
/** Length limit of an id: a SHA-512 in hex has 128 characters, and a prefix some more. */
const MAX_ID_CHARS = 256
/** `name` and `format` of what Apollo's `generate-persisted-query-manifest` writes. */
const APOLLO_FORMAT = 'apollo-persisted-query-manifest'
const APOLLO_VERSION = 1

/**
 * Reads a manifest: `{id: text}`, as GraphQL Code Generator (`persisted-documents.json`) and Relay write it, or
 * Apollo's `{"format":"apollo-persisted-query-manifest","version":1,"operations":[{id, body, name, type}]}`.
 * @throws Error with one sentence that says what of it cannot be read.
 */
export function parseManifest(text: string): readonly ManifestEntry[] {
  const manifest = parsed(text)
  const entries = manifest.format === APOLLO_FORMAT ? apolloEntries(manifest) : plainEntries(manifest)
  if (entries.length === 0) throw new Error('it has no operations')
  if (entries.length > MAX_ENTRIES) throw new Error(`it has more than ${MAX_ENTRIES} operations`)
  const texts = new Map<string, string>()
  for (const { id, text } of entries) {
    if (id === '' || id.length > MAX_ID_CHARS)
      throw new Error(`an id has 1 to ${MAX_ID_CHARS} characters: ${shown(id)}`)
    if (texts.has(id) && texts.get(id) !== text) throw new Error(`two operations have the id ${shown(id)}`)
    texts.set(id, text)
  }
  return entries
}

function parsed(text: string): Record<string, unknown> {
  let manifest: unknown
  try {
    manifest = JSON.parse(text)
  } catch {
    throw new Error('it is not valid JSON')
  }
  if (!isRecord(manifest)) throw new Error('it is no JSON object of texts by id, and no manifest of Apollo')
  return manifest
}

function apolloEntries({ version, operations }: Record<string, unknown>): ManifestEntry[] {
  if (version !== APOLLO_VERSION) throw new Error(`the version of Apollo's manifest is not ${APOLLO_VERSION}`)
  if (!Array.isArray(operations)) throw new Error('"operations" is no list')
  return operations.map((operation: unknown, index) => {
    const { id, body, name } = isRecord(operation) ? operation : {}
    if (typeof id !== 'string' || typeof body !== 'string') {
      throw new Error(`operation ${index} has no "id" and "body" that are texts`)
    }
    return { id, text: body, name: typeof name === 'string' ? name : undefined }
  })
}

function plainEntries(manifest: Record<string, unknown>): ManifestEntry[] {
  return Object.entries(manifest).map(([id, text]) => {
    if (typeof text !== 'string') throw new Error(`the operation ${shown(id)} is no text`)
    return { id, text, name: undefined }
  })
}

/** In one line of the log, and not longer than that. */
function shown(id: string): string {
  return JSON.stringify(id.slice(0, 80))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
