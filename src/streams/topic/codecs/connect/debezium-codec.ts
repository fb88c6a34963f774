import type { EventRecord } from '../../../event.ts'
import { type Codec, CodecFailure, TOMBSTONE } from '../../codec.ts'
import type { LongOptions } from '../longs.ts'
import { setOwn } from '../own-property.ts'
import { isEnvelope, unwrapped, withPreparationOf } from './connect-codec.ts'
import { parseExactly } from './exact-json.ts'

export interface DebeziumOptions extends LongOptions {
  /** What decodes a record to Debezium's change: a registry's codec, for Avro. By default JSON, with its schema or without. */
  readonly inner?: Codec
  /**
   * What a deleted row becomes. `event`, the default: an event with what `before` has of it, and the record's key.
   * `tombstone`: it is as a record without a value; so it removes the row of a table.
   */
  readonly deletes?: 'event' | 'tombstone'
  /** Name of the property with the operation, where `op` is one of the row's. */
  readonly op?: string
  /** Name of the property with the source, where `source` is one of the row's; `false`: it is left out. */
  readonly source?: string | false
}

type Values = Readonly<Record<string, unknown>>

/** Operations on a row: create, update, read (of a snapshot), delete. */
const WITH_ROW = new Set(['c', 'u', 'r'])

/**
 * Changes of rows, as Debezium tells them: the row as it is after the change, with the operation (`c`, `u`, `r`, `d`) as
 * `op`, and where it was made as `source`.
 */
export function debeziumCodec(options: DebeziumOptions = {}): Codec {
  const { inner, longs } = options
  const rowOf = new Rows(options)
  const convert = (value: unknown, record: EventRecord): unknown =>
    rowOf.read(isEnvelope(value) ? unwrapped(value, longs) : value, record)
  if (!inner) return (bytes, record) => parseExactly(bytes, (value) => convert(value, record))
  return withPreparationOf(inner, (bytes, record) => convert(inner(bytes, record), record))
}

class Rows {
  readonly #deletes: 'event' | 'tombstone'
  readonly #op: string
  readonly #source: string | false

  constructor({ deletes = 'event', op = 'op', source = 'source' }: DebeziumOptions) {
    this.#deletes = deletes
    this.#op = op
    this.#source = source
  }

  read(change: unknown, { key }: EventRecord): unknown {
    if (change === null) return TOMBSTONE
    if (!isObject(change) || typeof change.op !== 'string') throw new CodecFailure('The value is no change of Debezium')
    const { op, before, after, source } = change
    if (op === 'd') {
      if (this.#deletes === 'tombstone') return TOMBSTONE
      return this.#row({ ...keyColumns(key), ...(isObject(before) ? before : {}) }, op, source)
    }
    // Truncations and messages are of no row.
    if (!WITH_ROW.has(op)) throw new CodecFailure('The change is not one of a row: it is a truncation, or a message')
    if (!isObject(after)) throw new CodecFailure('The change has no row')
    return this.#row(after, op, source)
  }

  #row(columns: Values, op: string, source: unknown): unknown {
    const row: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(columns)) setOwn(row, name, value)
    this.#add(row, this.#op, op, 'op')
    if (this.#source !== false) this.#add(row, this.#source, source ?? null, 'source')
    return row
  }

  #add(row: Record<string, unknown>, name: string, value: unknown, option: string): void {
    if (Object.hasOwn(row, name)) {
      throw new CodecFailure(
        `The row has a column "${name}" itself: the codec's option \`${option}\` names it otherwise`,
      )
    }
    setOwn(row, name, value)
  }
}

/** The columns of a record's key, where that is JSON: of a deleted row `before` may have no more than nulls. */
function keyColumns(key: string | null): Values {
  if (key === null) return {}
  try {
    const value: unknown = JSON.parse(key)
    const columns = isEnvelope(value) ? value.payload : value
    return isObject(columns) ? columns : {}
  } catch {
    return {} // a key in another format has no columns that could be named
  }
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
