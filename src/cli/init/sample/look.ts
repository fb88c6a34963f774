import type { RawRecord } from '../../../streams/event.ts'
import { json, TOMBSTONE } from '../../../streams/topic/codec.ts'
import { inferField } from '../infer/infer.ts'
import { fieldOf, UNKNOWN } from '../infer/place.ts'
import { InitError } from '../init-error.ts'
import type { TopicFindings } from '../plan/planner.ts'
import { CHANGE_NOTE, changeShape } from './changes.ts'
import { type Decoded, decodeAll } from './decoded.ts'
import { unwrap } from './envelope.ts'
import { JSON_READING, type Reading } from './reading.ts'

/** With fewer records, what is always there may be so by chance. */
const FEW_RECORDS = 20
/** Share of the values that have to be of a format for the topic to be of it. */
const MOST = 0.5
/** Confluent's wire format: this byte, and four of the schema's id. */
const MAGIC = 0
const WIRE_HEAD = 5

const MISSING: Reading = { format: 'missing', codec: undefined, imports: [], usesRegistry: false }

const EMPTY =
  'There was no record with a value to look at: write its schema here, and the fields of its type in schema/.'
const FOREIGN =
  'The values are neither JSON nor of a schema registry. Say what decodes them: `avroCodec`, `protobufCodec`, or a ' +
  'function of the bytes.'

/** Whether values are in the wire format of a schema registry. */
export function isWireFormat(values: readonly Buffer[]): boolean {
  const wired = values.filter((value) => value.length > WIRE_HEAD && value[0] === MAGIC)
  return wired.length / values.length > MOST
}

/**
 * What records of a topic look like that are not of a registry.
 * @throws InitError for those that are.
 */
export function lookAt(topic: string, records: readonly RawRecord[]): TopicFindings {
  const filled = records.filter(({ value }) => value !== null)
  const unknown = (reading: Reading, doubt: string): TopicFindings => {
    const notes = recordNotes(records.length, filled.length, filled.length, filled.length)
    return { topic, value: fieldOf({ shape: UNKNOWN, doubt }, { isNullable: true }), reading, seen: [], notes }
  }
  if (filled.length === 0) return unknown(JSON_READING, EMPTY)
  const decoded = decodeAll(filled, json)
  if (decoded.length / filled.length <= MOST) {
    if (!isWireFormat(filled.map(({ value }) => value as Buffer))) return unknown(MISSING, FOREIGN)
    const sentence = 'are in the wire format of a schema registry: say its address by --registry URL'
    throw new InitError(`The records of the topic "${topic}" ${sentence}`)
  }
  const unwrapped = unwrap(decoded, JSON_READING)
  const { reading, values } = unwrapped ?? { reading: JSON_READING, values: decoded }
  const seen = seenOf(values)
  if (seen.length === 0) return unknown(reading, EMPTY)
  const inferred = inferField(seen.map(({ value }) => value), { name: topic, level: 0 }) // biome-ignore format: one line
  return {
    topic,
    value: unwrapped?.op === undefined ? inferred : changeShape(inferred, unwrapped.op, values),
    reading,
    seen,
    notes: [
      ...(unwrapped?.op === undefined ? [] : [CHANGE_NOTE]),
      ...recordNotes(records.length, filled.length, values.length, seen.length),
    ],
  }
}

/** Those that are events. */
export function seenOf(values: readonly Decoded[]): readonly Decoded[] {
  return values.filter(({ value }) => value !== null && value !== undefined && value !== TOMBSTONE)
}

/** What of the records is no event, by counts: all, those with a value, those that decoded, and the events. */
export function recordNotes(all: number, filled: number, decoded: number, events: number): string[] {
  const notes: string[] = []
  if (all > 0 && all < FEW_RECORDS) notes.push(`Only ${counted(all, 'record')} could be looked at.`)
  if (filled < all) {
    notes.push(
      `${all - filled} of ${counted(all, 'record')} had no value. Such tombstones are how a compacted topic deletes a key:`,
      'they are skipped and counted. `tombstones: ({ key }) => ({ … })` makes events of them; and if the latest value of each',
      'key is what clients want, `table: true` here and `t.table` in schema/ show that, with what is removed.',
    )
  }
  if (decoded < filled) {
    notes.push(
      `${filled - decoded} of ${counted(filled, 'value')} did not decode: such records are skipped and counted.`,
    )
  }
  if (events < decoded) {
    notes.push(`${decoded - events} of ${counted(filled, 'value')} said nothing (null): such records are skipped.`)
  }
  return notes
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
