import type { RawRecord } from '../../../streams/event.ts'
import { json } from '../../../streams/topic/codec.ts'
import { inferField } from '../infer/infer.ts'
import { fieldOf, UNKNOWN } from '../infer/place.ts'
import type { TopicFindings } from '../plan/planner.ts'
import { decodeAll } from './decoded.ts'
import { envelopeOf } from './envelope.ts'
import { JSON_READING, type Reading } from './reading.ts'

/** With fewer records, what is always there may be so by chance. */
const FEW_RECORDS = 20
/** Share of the values that have to be of a format for the topic to be of it. */
const MOST = 0.5
/** Confluent's wire format: this byte, and four of the schema's id. */
const MAGIC = 0
const WIRE_HEAD = 5

/** The bytes of a topic are known to be of a format that needs more than was given. */
export class NeedsRegistry extends Error {
  override readonly name = 'NeedsRegistry'
}

const MISSING: Reading = { format: 'missing', codec: undefined, imports: [], usesRegistry: false }

/** Whether values are in the wire format of a schema registry. */
export function isWireFormat(values: readonly Buffer[]): boolean {
  const wired = values.filter((value) => value.length > WIRE_HEAD && value[0] === MAGIC)
  return values.length > 0 && wired.length / values.length > MOST
}

/** What records of a topic look like. Values of a registry are not looked at here. */
export function lookAt(topic: string, records: readonly RawRecord[]): TopicFindings {
  const filled = records.filter(({ value }) => value !== null)
  const notes = tombstoneNotes(records.length, records.length - filled.length)
  if (filled.length === 0) {
    const doubt =
      'There was no record with a value to look at: write its schema here, and the fields of its type in schema/.'
    return {
      topic,
      value: fieldOf({ shape: UNKNOWN, doubt }, { isNullable: true }),
      reading: JSON_READING,
      seen: [],
      notes,
    }
  }
  const decoded = decodeAll(filled, json)
  if (decoded.length / filled.length <= MOST) {
    if (isWireFormat(filled.map(({ value }) => value as Buffer))) {
      throw new NeedsRegistry(
        `The records of the topic "${topic}" are in the wire format of a schema registry: say --registry URL`,
      )
    }
    const doubt =
      'The values are no JSON, and not of a schema registry. Say what decodes them: `avroCodec`, `protobufCodec`, or a function of the bytes.'
    return { topic, value: fieldOf({ shape: UNKNOWN, doubt }, { isNullable: true }), reading: MISSING, seen: [], notes }
  }
  const { reading, values } = envelopeOf(decoded)
  const seen = values.filter(({ value }) => value !== null && value !== undefined)
  const value = inferField(seen.map((each) => each.value), { name: topic, level: 0 }) // biome-ignore format: one line
  return {
    topic,
    value: { ...value, isOptional: false, isNullable: value.isNullable && value.shape.kind === 'unknown' },
    reading,
    seen,
    notes: [...notes, ...shareNotes(filled.length, decoded.length, values.length - seen.length)],
  }
}

export function tombstoneNotes(records: number, tombstones: number): string[] {
  const few = records > 0 && records < FEW_RECORDS ? [`Only ${counted(records, 'record')} could be looked at.`] : []
  if (tombstones === 0) return few
  return [
    ...few,
    `${tombstones} of ${counted(records, 'record')} had no value. Such tombstones are how a compacted topic deletes a key:`,
    'they are skipped and counted. `tombstones: ({ key }) => ({ … })` makes events of them; and if the latest value of each',
    'key is what clients want, `table: true` here and `t.table` in schema/ show that, with what is removed.',
  ]
}

function shareNotes(filled: number, decoded: number, nulls: number): string[] {
  const failed = filled - decoded
  return [
    ...(failed === 0
      ? []
      : [`${failed} of ${counted(filled, 'value')} did not decode: such records are skipped and counted.`]),
    ...(nulls === 0
      ? []
      : [`${nulls} of ${counted(filled, 'value')} were null: such records are skipped and counted.`]),
  ]
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
