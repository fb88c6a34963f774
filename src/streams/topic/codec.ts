import type { EventRecord, RawRecord } from '../event.ts'

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
  /**
   * Fetches what decoding these values needs. Undefined: all is there. Rejects with `CodecUnavailable` while it cannot be had:
   * the partition is held, and the topic waits with that sentence; it is called again.
   */
  readonly prepare?: (values: readonly Buffer[], signal: AbortSignal) => Promise<void> | undefined
}

/** Invalid UTF-8 is an error, not replaced: a silently damaged string would pass as a valid event. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** JSON in UTF-8: the default codec. */
export const json: Codec = Object.assign((bytes: Buffer): unknown => JSON.parse(utf8.decode(bytes)), {
  fromText: (text: string): unknown => JSON.parse(text),
  encode: (value: unknown): string => JSON.stringify(value),
})

/** Decodes the value of a record, which is not null. */
export function decodeValue({ codec }: { readonly codec: Codec }, raw: RawRecord, record: EventRecord): unknown {
  if (codec.fromText && raw.valueText) return codec.fromText(raw.valueText())
  return codec(raw.value as Buffer, record)
}
