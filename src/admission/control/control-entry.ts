import { z } from 'zod'

/** What can be revoked, and what can be blocked. */
export const CONTROL_KINDS = ['principal', 'key', 'token', 'operation'] as const
export type ControlKind = (typeof CONTROL_KINDS)[number]

/** Longest principal, id or name: ids of principals have 256 characters at most, those of tokens seldom more. */
export const MAX_VALUE_CHARS = 1_024
/** Longest reason: it is for people. */
export const MAX_REASON_CHARS = 500
/** Largest value of a record: all properties at their longest, with every character escaped. */
export const MAX_RECORD_BYTES = 16 * 1024

/** A revocation, or a block. */
export interface ControlEntry {
  readonly kind: ControlKind
  /**
   * The id of a principal or a key, the `jti` of a token; of an operation the SHA-256 of its document in hex, or its
   * name.
   */
  readonly value: string
  /** When it was decided, in ms since the epoch. */
  readonly at: number
  /** Until when it is in force, in ms since the epoch; undefined: until it is undone. */
  readonly until: number | undefined
  /** For people. */
  readonly reason: string | undefined
}

const TIME = z.iso.datetime({ offset: true })

/** Properties that are not known are skipped: during a deploy a newer instance may write some. */
const Value = z.object({
  kind: z.enum(CONTROL_KINDS),
  value: z.string().min(1).max(MAX_VALUE_CHARS),
  at: TIME,
  until: TIME.optional(),
  reason: z.string().max(MAX_REASON_CHARS).optional(),
})

/** The key of an entry's record on the control topic: later records of a key replace earlier ones. */
export function controlKey({ kind, value }: Pick<ControlEntry, 'kind' | 'value'>): string {
  return `${kind}:${value}`
}

/** The value of an entry's record. */
export function controlValue({ kind, value, at, until, reason }: ControlEntry): string {
  return JSON.stringify({
    kind,
    value,
    at: new Date(at).toISOString(),
    ...(until !== undefined && { until: new Date(until).toISOString() }),
    ...(reason !== undefined && { reason }),
  })
}

/** What a record of the control topic says. A record without a value undoes the entry of its key. */
export type ControlRecord =
  | { readonly key: string; readonly entry: ControlEntry }
  | { readonly key: string; readonly entry: undefined }

/** @throws Error that says why a record is none of the control topic. */
export function readControlRecord(key: string | null, value: string | null): ControlRecord {
  const kind = CONTROL_KINDS.find((each) => key?.startsWith(`${each}:`))
  if (key === null || !kind) throw new Error('Its key is not of the form KIND:VALUE')
  if (key.length === kind.length + 1 || key.length > kind.length + 1 + MAX_VALUE_CHARS)
    throw new Error(`The value in its key has 1 to ${MAX_VALUE_CHARS} characters`)
  if (value === null) return { key, entry: undefined }
  const { data, error } = Value.safeParse(JSON.parse(value))
  if (error) throw new Error(explain(error))
  if (controlKey(data) !== key) throw new Error('Its key and its value are of different entries')
  const { at, until, reason } = data
  const end = until === undefined ? undefined : Date.parse(until)
  return { key, entry: { kind, value: data.value, at: Date.parse(at), until: end, reason } }
}

/** What is wrong with a value, in one line. */
export function explain({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => (path.length > 0 ? `"${path.join('.')}": ${message}` : message)).join('; ')
}
