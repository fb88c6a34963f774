/** Options of a topic that is read as a table: compacted by key, with the latest value of each. */
export interface TableOptions {
  /** Limit of the rows. Beyond it the table is refused. */
  readonly maxKeys?: number
  /** Limit of the rows' memory, in bytes. Beyond it the table is refused. */
  readonly maxBytes?: number
  /** How long the topic keeps tombstones, in ms: its `delete.retention.ms`. */
  readonly tombstonesMs?: number
}

export type TableLimits = Required<TableOptions>

/** A million rows are loaded in some ten seconds. */
const MAX_KEYS = 1_000_000
/** A quarter of a GiB: a gateway has some GiB of heap, and more than one topic. */
const MAX_BYTES = 256 * 1024 * 1024
/** Kafka's default of `delete.retention.ms`. */
const TOMBSTONES_MS = 24 * 3600 * 1000

/** @throws TypeError for a limit that is no positive number. */
export function tableLimits(topic: string, options: boolean | TableOptions): TableLimits | undefined {
  if (options === false) return undefined
  const given = options === true ? {} : options
  const { maxKeys = MAX_KEYS, maxBytes = MAX_BYTES, tombstonesMs = TOMBSTONES_MS } = given
  for (const [name, value] of Object.entries({ maxKeys, maxBytes, tombstonesMs })) {
    if (!(value > 0)) throw new TypeError(`"${name}" of the table "${topic}" is a positive number, not ${value}`)
  }
  return { maxKeys, maxBytes, tombstonesMs }
}
