import { CONTROL_KINDS, type ControlEntry, type ControlKind, controlKey } from './control-entry.ts'

/** Limit of entries: an incident has some, and one per logout of a day's users is still below it. */
const MAX_ENTRIES = 100_000
/** Limit of their memory: so many of usual length. */
const MAX_ENTRIES_BYTES = 32 * 1024 * 1024
/** An entry without its texts: the object, and its place in a map. */
const ENTRY_BYTES = 200
/** How often a full list is looked through for entries that are no longer in force. */
const LOOK_THROUGH_MS = 1_000

export interface ControlListLimits {
  readonly maxEntries?: number
  readonly maxBytes?: number
}

/** Entries by kind and value: bounded. None makes room for another, since each was decided by somebody. */
export class ControlList {
  readonly #kinds = new Map<ControlKind, Map<string, ControlEntry>>(CONTROL_KINDS.map((kind) => [kind, new Map()]))
  readonly #maxEntries: number
  readonly #maxBytes: number
  #size = 0
  #bytes = 0
  #lookedThroughAt = Number.NEGATIVE_INFINITY

  constructor({ maxEntries = MAX_ENTRIES, maxBytes = MAX_ENTRIES_BYTES }: ControlListLimits = {}) {
    this.#maxEntries = maxEntries
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Number of entries of a kind, with those that are no longer in force. */
  count(kind: ControlKind): number {
    return this.#of(kind).size
  }

  /** Whether an entry is in force. */
  has(kind: ControlKind, value: string | undefined): boolean {
    const entries = this.#of(kind)
    if (entries.size === 0 || value === undefined) return false
    const entry = entries.get(value)
    return entry !== undefined && isInForce(entry, Date.now())
  }

  get({ kind, value }: Pick<ControlEntry, 'kind' | 'value'>): ControlEntry | undefined {
    return this.#of(kind).get(value)
  }

  /** False: there is no room for it. */
  put(entry: ControlEntry): boolean {
    if (!this.#hasRoom(entry)) this.#forgetPast()
    if (!this.#hasRoom(entry)) return false
    const known = this.get(entry)
    this.#of(entry.kind).set(entry.value, entry)
    this.#bytes += bytesOf(entry) - bytesOf(known)
    if (!known) this.#size++
    return true
  }

  /** `key`: see `controlKey`. */
  delete(key: string): boolean {
    const colon = key.indexOf(':')
    const entries = this.#kinds.get(key.slice(0, colon) as ControlKind)
    const entry = entries?.get(key.slice(colon + 1))
    if (!entries || !entry) return false
    entries.delete(entry.value)
    this.#bytes -= bytesOf(entry)
    this.#size--
    return true
  }

  /** The entries in force, those of each kind as they came. */
  *[Symbol.iterator](): Iterator<ControlEntry> {
    const now = Date.now()
    for (const entries of this.#kinds.values())
      for (const entry of entries.values()) if (isInForce(entry, now)) yield entry
  }

  #hasRoom(entry: ControlEntry): boolean {
    const known = this.get(entry)
    const bytes = this.#bytes + bytesOf(entry) - bytesOf(known)
    return this.#size + (known ? 0 : 1) <= this.#maxEntries && bytes <= this.#maxBytes
  }

  #forgetPast(): void {
    const now = Date.now()
    if (Math.abs(now - this.#lookedThroughAt) < LOOK_THROUGH_MS) return
    this.#lookedThroughAt = now
    for (const entries of this.#kinds.values())
      for (const entry of entries.values()) if (!isInForce(entry, now)) this.delete(controlKey(entry))
  }

  #of(kind: ControlKind): Map<string, ControlEntry> {
    return this.#kinds.get(kind) as Map<string, ControlEntry>
  }
}

export function isInForce({ until }: ControlEntry, now: number): boolean {
  return until === undefined || now < until
}

/** Texts are counted as two bytes a character, which some take. */
function bytesOf(entry: ControlEntry | undefined): number {
  return entry ? ENTRY_BYTES + 2 * (entry.value.length + (entry.reason?.length ?? 0)) : 0
}
