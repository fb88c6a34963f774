import { z } from 'zod'
import { BoundsClaim, History, Id, Scopes } from '../grants.ts'

/** Limit of keys: partners, not users. */
const MAX_KEYS = 10_000

/** A record of `API_KEYS_FILE`. An unknown property is an error: `bound` would be a partner without bounds. */
const Record = z.strictObject({
  id: Id,
  sha256: z.string().regex(/^[0-9a-f]{64}$/i),
  scopes: Scopes.default([]),
  bounds: BoundsClaim.default({}),
  /** In seconds. */
  history: History.optional(),
  expires: z.iso.datetime({ offset: true }).optional(),
})
const Records = z.array(Record).max(MAX_KEYS)

export type KeyRecord = z.output<typeof Record>

/**
 * Reads the text of the file of API keys.
 * @throws Error with one sentence that says what is wrong, and has no hash.
 */
export function readRecords(text: string): KeyRecord[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error('it is not valid JSON')
  }
  const read = Records.safeParse(value)
  if (!read.success) {
    const [issue] = read.error.issues
    const [index, property] = issue?.path ?? []
    if (index === undefined) throw new Error(`it is not a list of at most ${MAX_KEYS} keys`)
    const what = issue?.code === 'unrecognized_keys' ? issue.keys[0] : property
    throw new Error(
      what === undefined
        ? `key ${Number(index) + 1} is no object`
        : `${nameOf(value, index)}: ${String(what)} is wrong`,
    )
  }
  demandUnique(read.data, 'id')
  demandUnique(
    read.data.map((record) => ({ ...record, sha256: record.sha256.toLowerCase() })),
    'sha256',
  )
  return read.data
}

function demandUnique(records: readonly KeyRecord[], property: 'id' | 'sha256'): void {
  const seen = new Map<string, string>()
  for (const { id, [property]: value } of records) {
    const other = seen.get(value)
    if (other !== undefined)
      throw new Error(`${JSON.stringify(other)} and ${JSON.stringify(id)} have the same ${property}`)
    seen.set(value, id)
  }
}

function nameOf(value: unknown, index: PropertyKey): string {
  const { id } = (value as { id?: unknown }[])[Number(index)] ?? {}
  return typeof id === 'string' && id.length <= 256 ? `key ${JSON.stringify(id)}` : `key ${Number(index) + 1}`
}
