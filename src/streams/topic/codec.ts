/** Decodes the bytes of a record to a plain value. It may throw anything: the record is then counted and skipped. */
export type Codec = (bytes: Buffer) => unknown

/** Invalid UTF-8 is an error, not replaced: a silently damaged string would pass as a valid event. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** JSON in UTF-8: the default codec. */
export const json: Codec = (bytes) => JSON.parse(utf8.decode(bytes))
