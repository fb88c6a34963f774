import type { EventRecord, RawRecord } from '../event.ts'
import { parseExactly } from './exact-numbers.ts'

/**
 * Decodes the bytes of a record to a plain value. It may throw anything: the record is then counted and skipped. It
 * answers at once. A codec that has to wait, for the schema of a registry, needs a step before: `Intake` takes whole
 * batches in order, and may await a preparation of each.
 */
export interface Codec {
  (bytes: Buffer, record: EventRecord): unknown
  /** The same from text, for a codec of a text format: a record may have its value as text sooner than as bytes. */
  readonly fromText?: (text: string) => unknown
  /** The bytes, or the text, of a plain value, which the codec decodes again. Without it nothing can be published. */
  readonly encode?: (value: unknown) => Buffer | string
}

/** Invalid UTF-8 is an error, not replaced: a silently damaged string would pass as a valid event. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** JSON in UTF-8: the default codec. */
export const json: Codec = Object.assign((bytes: Buffer): unknown => JSON.parse(utf8.decode(bytes)), {
  fromText: (text: string): unknown => JSON.parse(text),
  encode: (value: unknown): string => JSON.stringify(value),
})

/** `exact`: a number that a double cannot hold becomes text. `double`: it is rounded, as by `JSON.parse`. */
export interface JsonOptions {
  readonly numbers?: 'double' | 'exact'
}

/** JSON in UTF-8. With exact numbers an amount that is sent as a number reaches `Decimal` and `Long` unrounded. */
export function jsonCodec({ numbers = 'double' }: JsonOptions = {}): Codec {
  if (numbers === 'double') return json
  if (numbers === 'exact') return exactJson
  throw new TypeError(`The numbers of a JSON codec are 'double' or 'exact'`)
}

const exactJson: Codec = Object.assign((bytes: Buffer): unknown => parseExactly(utf8.decode(bytes)), {
  fromText: parseExactly,
  encode: (value: unknown): string => JSON.stringify(value),
})

/** Decodes the value of a record, which is not null. */
export function decodeValue({ codec }: { readonly codec: Codec }, raw: RawRecord, record: EventRecord): unknown {
  if (codec.fromText && raw.valueText) return codec.fromText(raw.valueText())
  return codec(raw.value as Buffer, record)
}
