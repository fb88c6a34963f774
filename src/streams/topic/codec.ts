import type { EventRecord, RawRecord } from '../event.ts'
import { parseExactly } from './exact-numbers.ts'

/**
 * Decodes the bytes of a record to a plain value. It may throw anything: the record is then counted and skipped. It
 * answers at once: what it has to fetch for that is fetched before, by `prepare`.
 */
export interface Codec {
  (bytes: Buffer, record: EventRecord): unknown
  /** The same from text, for a codec of a text format: a record may have its value as text sooner than as bytes. */
  readonly fromText?: (text: string) => unknown
  /** The bytes, or the text, of a plain value, which the codec decodes again. Without it nothing can be published. */
  readonly encode?: (value: unknown) => Buffer | string
  /**
   * Fetches what decoding these values needs, such as the schemas of a registry. Undefined: all is there. It rejects with
   * `CodecUnavailable` while that cannot be had: the partition is then held, and the topic waits with that sentence; it
   * is called again, with backoff. `writtenAt`: the timestamps of the values' records, in ms since the epoch.
   */
  readonly prepare?: (
    values: readonly Buffer[],
    signal: AbortSignal,
    writtenAt?: readonly number[],
  ) => Promise<void> | undefined
}

/** What decoding needs cannot be had at the moment. The message is a sentence for `/readyz` and the log. */
export class CodecUnavailable extends Error {
  override readonly name = 'CodecUnavailable'
  /**
   * It is these very records that what they need is not to be had for, and others may be decoded; otherwise nothing
   * that is new is, such as without a connection.
   */
  readonly isDefinite: boolean

  constructor(message: string, { isDefinite = false, ...options }: ErrorOptions & { isDefinite?: boolean } = {}) {
    super(message, options)
    this.isDefinite = isDefinite
  }
}

/**
 * The bytes cannot be decoded. Unlike what any other exception says, its message is logged and dead-lettered: it says
 * why, and has nothing of the value in it.
 */
export class CodecFailure extends Error {
  override readonly name = 'CodecFailure'
}

/** What a codec returns for a record that says that its key was deleted: it is treated as one without a value. */
export const TOMBSTONE: unique symbol = Symbol('tombstone')

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
