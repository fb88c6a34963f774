import { type Codec, CodecFailure } from '../../codec.ts'
import type { LongOptions } from '../longs.ts'
import { connectValue } from './connect-value.ts'
import { parseExactly } from './exact-json.ts'

type Values = Readonly<Record<string, unknown>>

/**
 * The JSON of Kafka Connect's converter with `schemas.enable`: `{"schema": …, "payload": …}`. The payload is decoded by
 * its schema: decimals, dates and times by their names, as Avro's logical types are.
 * `inner` decodes the record, if it is not JSON.
 */
export function connectCodec(inner?: Codec, { longs }: LongOptions = {}): Codec {
  const convert = (value: unknown): unknown => {
    if (!isEnvelope(value)) throw new CodecFailure('The value is not {"schema": …, "payload": …}')
    return unwrapped(value, longs)
  }
  if (!inner) return (bytes) => parseExactly(bytes, convert)
  return withPreparationOf(inner, (bytes, record) => convert(inner(bytes, record)))
}

/** An object of a schema and a payload, and nothing else. A schema of null is that of any payload. */
export function isEnvelope(value: unknown): value is Values {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.hasOwn(value, 'schema') && Object.hasOwn(value, 'payload') && Object.keys(value).length === 2
}

export function unwrapped({ schema, payload }: Values, longs: LongOptions['longs']): unknown {
  return schema === null ? payload : connectValue(schema, payload, longs)
}

/** A codec that decodes by another one needs what that one needs. */
export function withPreparationOf(inner: Codec, decode: Codec): Codec {
  return inner.prepare ? Object.assign(decode, { prepare: inner.prepare }) : decode
}
