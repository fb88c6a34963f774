import type { Logical, PrimitiveName } from './avro-node.ts'

type Unit = 'ms' | 'us' | 'ns'

/** Avro's logical types, by name; and the type that each annotates. */
const TIMES: Readonly<Record<string, readonly [PrimitiveName, Logical]>> = {
  'timestamp-millis': ['long', { kind: 'instant', unit: 'ms' }],
  'timestamp-micros': ['long', { kind: 'instant', unit: 'us' }],
  'timestamp-nanos': ['long', { kind: 'instant', unit: 'ns' }],
  'local-timestamp-millis': ['long', { kind: 'local', unit: 'ms' }],
  'local-timestamp-micros': ['long', { kind: 'local', unit: 'us' }],
  'local-timestamp-nanos': ['long', { kind: 'local', unit: 'ns' }],
  'time-millis': ['int', { kind: 'time', unit: 'ms' }],
  'time-micros': ['long', { kind: 'time', unit: 'us' }],
  date: ['int', { kind: 'date' }],
  uuid: ['string', { kind: 'uuid' }],
}

/**
 * Names of Kafka Connect and Debezium, which their converters write as `connect.name`. Debezium's timestamps without a
 * zone count as if they were of UTC.
 */
export const CONNECT_NAMES: Readonly<Record<string, readonly [PrimitiveName, Logical]>> = {
  'org.apache.kafka.connect.data.Timestamp': ['long', { kind: 'instant', unit: 'ms' }],
  'org.apache.kafka.connect.data.Date': ['int', { kind: 'date' }],
  'org.apache.kafka.connect.data.Time': ['int', { kind: 'time', unit: 'ms' }],
  ...debezium('Timestamp', 'instant', 'long', 'ms'),
  ...debezium('MicroTimestamp', 'instant', 'long', 'us'),
  ...debezium('NanoTimestamp', 'instant', 'long', 'ns'),
  ...debezium('Time', 'time', 'int', 'ms'),
  ...debezium('MicroTime', 'time', 'long', 'us'),
  ...debezium('NanoTime', 'time', 'long', 'ns'),
  'io.debezium.time.Date': ['int', { kind: 'date' }],
  'io.debezium.time.ZonedTimestamp': ['string', { kind: 'instant-text' }],
}

function debezium(name: string, kind: 'instant' | 'time', type: PrimitiveName, unit: Unit) {
  return { [`io.debezium.time.${name}`]: [type, { kind, unit }] as const }
}

export const VARIABLE_SCALE_DECIMAL = 'io.debezium.data.VariableScaleDecimal'

/**
 * The logical type of a schema's object. Undefined: it has none, or none that is known, or one that does not fit its
 * type. By the specification its underlying type holds then.
 */
export function logicalOf(type: string, schema: Readonly<Record<string, unknown>>): Logical | undefined {
  const { logicalType, scale = 0 } = schema
  if (logicalType === 'decimal' && (type === 'bytes' || type === 'fixed')) {
    return Number.isInteger(scale) && (scale as number) >= 0 ? { kind: 'decimal', scale: scale as number } : undefined
  }
  if (logicalType === 'uuid' && type === 'fixed') return schema.size === 16 ? { kind: 'uuid' } : undefined
  const byName = own(TIMES, logicalType) ?? own(CONNECT_NAMES, schema['connect.name'])
  return byName?.[0] === type ? byName[1] : undefined
}

function own<T>(table: Readonly<Record<string, T>>, name: unknown): T | undefined {
  return typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined
}
