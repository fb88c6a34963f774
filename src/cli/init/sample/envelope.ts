import { type Decoded, decodeAll } from './decoded.ts'
import { JSON_READING, type Reading } from './reading.ts'
import { connectCodec, debeziumCodec } from './unwrap.ts'

/** Share of the values that have to be in an envelope for the topic to be read by its codec. */
const MOST = 0.9

type Values = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Values =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

/** Kafka Connect's JSON converter with schemas: the two properties, and no other. */
function isConnect(value: unknown): value is { readonly payload: unknown } {
  if (!isObject(value) || Object.keys(value).length !== 2) return false
  return 'payload' in value && (value.schema === null || (isObject(value.schema) && 'type' in value.schema))
}

/** A change of a table's row, as Debezium tells it. */
function isDebezium(value: unknown): boolean {
  const change = isConnect(value) ? value.payload : value
  if (!isObject(change) || typeof change.op !== 'string') return false
  return ('before' in change || 'after' in change) && isObject(change.source)
}

const DEBEZIUM: Reading = {
  format: 'debezium',
  codec: 'debeziumCodec()',
  imports: ['debeziumCodec'],
  usesRegistry: false,
}
const CONNECT: Reading = { format: 'connect', codec: 'connectCodec()', imports: ['connectCodec'], usesRegistry: false }

/** The codec of what values are wrapped in, and the values that it gives. */
export function envelopeOf(decoded: readonly Decoded[]): {
  readonly reading: Reading
  readonly values: readonly Decoded[]
} {
  const share = (is: (value: unknown) => boolean) =>
    decoded.filter(({ value }) => is(value)).length / Math.max(1, decoded.length)
  const records = decoded.map(({ record }) => record)
  if (share(isDebezium) >= MOST) return { reading: DEBEZIUM, values: decodeAll(records, debeziumCodec()) }
  if (share(isConnect) >= MOST) return { reading: CONNECT, values: decodeAll(records, connectCodec()) }
  return { reading: JSON_READING, values: decoded }
}
