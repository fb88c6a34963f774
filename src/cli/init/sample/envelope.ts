import type { Codec } from '../../../streams/topic/codec.ts'
import { connectCodec, isEnvelope } from '../../../streams/topic/codecs/connect/connect-codec.ts'
import { type DebeziumOptions, debeziumCodec } from '../../../streams/topic/codecs/connect/debezium-codec.ts'
import { type Decoded, decodeAll } from './decoded.ts'
import type { Reading } from './reading.ts'

/** Share of the values that have to be in an envelope for the topic to be read by its codec. */
const MOST = 0.9

type Values = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Values =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

/** Of a change of a table's row, as Debezium tells it, the change. */
function changeOf(value: unknown): Values | undefined {
  const change = isEnvelope(value) ? value.payload : value
  if (!isObject(change) || typeof change.op !== 'string' || !isObject(change.source)) return undefined
  return 'before' in change || 'after' in change ? change : undefined
}

/** Debezium's fields, as they are called here where a row has columns of their names. */
const OTHER_OP = 'operation'

export interface Unwrapped {
  readonly reading: Reading
  readonly values: readonly Decoded[]
  /** Of Debezium: the property with the operation. */
  readonly op?: string
}

/**
 * The codec of what values are wrapped in, and the values that it gives. `inner` decodes what is around that, and
 * `outer` says how; undefined: JSON. Undefined, if they are not wrapped.
 */
export function unwrap(decoded: readonly Decoded[], outer: Reading, inner?: Codec): Unwrapped | undefined {
  const share = (is: (value: unknown) => boolean) =>
    decoded.filter(({ value }) => is(value)).length / Math.max(1, decoded.length)
  const records = decoded.map(({ record }) => record)
  if (share((value) => changeOf(value) !== undefined) >= MOST) {
    const rows = decoded.flatMap(({ value }) => [changeOf(value)?.after, changeOf(value)?.before]).filter(isObject)
    const op = rows.some((row) => Object.hasOwn(row, 'op')) ? OTHER_OP : 'op'
    const options: DebeziumOptions = { ...(inner && { inner }), op, source: false }
    const given = [
      ...(outer.codec === undefined ? [] : [`inner: ${outer.codec}`]),
      ...(op === 'op' ? [] : [`op: '${op}'`]),
      'source: false',
    ]
    const codec = `debeziumCodec({ ${given.join(', ')} })`
    const reading: Reading = { ...outer, format: 'debezium', codec, imports: [...outer.imports, 'debeziumCodec'] }
    return { reading, values: decodeAll(records, debeziumCodec(options)), op }
  }
  if (inner || share(isEnvelope) < MOST) return undefined
  const reading: Reading = { ...outer, format: 'connect', codec: 'connectCodec()', imports: ['connectCodec'] }
  return { reading, values: decodeAll(records, connectCodec()) }
}
