/**
 * Encoding of results, the bulk of every stream. It is pure: equal results have equal bytes, so that members share a
 * buffer. They are told apart by identity: framings that differ in their other blocks only have the same one.
 */
export interface ResultFraming {
  /** Whether its bytes are the same for every member. False: they contain an operation's id. */
  readonly isShared: boolean
  /** Bytes that `write` takes for a result. */
  sizeOf(cursor: Buffer, json: Buffer): number
  /**
   * Writes a result at an offset of the target, and returns the offset after it. `json` is an ExecutionResult without
   * line breaks; `cursor` is the position after it, as text, or `NO_CURSOR`.
   */
  write(target: Buffer, at: number, cursor: Buffer, json: Buffer): number
  /** The `json` within one encoded result, if that has it unchanged: then it need not be kept beside it. */
  readonly jsonIn?: ((block: Buffer) => Buffer) | undefined
}

/** Encoding of the items of a stream. Its outputs are complete blocks. */
export interface Framing {
  readonly results: ResultFraming
  /** The first block: the reconnection delay, and the start position, if there is one. */
  opening(retryMs: number, cursor: string | undefined): Buffer
  /** The position has advanced without a result. Empty: it is not sent. */
  moved(cursor: string): Buffer
  /** A heartbeat with the current position, if there is one. Empty: none is sent. */
  heartbeat(cursor: string | undefined): Buffer
  /** Marker at the end of the replay. */
  caughtUp(cursor: string): Buffer
  /** The operation is complete: the client must not reconnect for it. */
  readonly complete: Buffer
  /** The reconnection delay, while the stream goes on. Empty: the protocol has none. */
  retry(ms: number): Buffer
  /**
   * The last block of a stream whose operation is not complete: the client is to reconnect after the delay. Empty: the
   * protocol cannot express it for this operation alone.
   */
  interrupted(retryMs: number): Buffer
}

/** The result has no position. */
export const NO_CURSOR = Buffer.alloc(0)
export const NOTHING = Buffer.alloc(0)

/** One encoded result in a new buffer. */
export function frame(results: ResultFraming, cursor: Buffer, json: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(results.sizeOf(cursor, json))
  results.write(bytes, 0, cursor, json)
  return bytes
}

/** A result with only a position. */
export function movedJson(cursor: string): string {
  return `{${extensionsOf(cursor)}}`
}

/** A result that marks the end of the replay. */
export function caughtUpJson(cursor: string): string {
  return `{"extensions":${JSON.stringify({ caughtUp: true, cursor })}}`
}

/** Inserted before the closing brace of a result, with its position. A cursor needs no escapes. */
const EXTENSIONS_OPEN = Buffer.from(',"extensions":{"cursor":"')
const EXTENSIONS_CLOSE = Buffer.from('"}}')
export const EXTENSIONS_BYTES = EXTENSIONS_OPEN.length + EXTENSIONS_CLOSE.length - 1

/** Writes a result with the position in its `extensions`: `EXTENSIONS_BYTES` and the cursor longer than the result. */
export function writeWithExtensions(target: Buffer, at: number, cursor: Buffer, json: Buffer): number {
  let to = at + json.copy(target, at, 0, json.length - 1)
  to += EXTENSIONS_OPEN.copy(target, to)
  to += cursor.copy(target, to)
  return to + EXTENSIONS_CLOSE.copy(target, to)
}

function extensionsOf(cursor: string): string {
  return `"extensions":${JSON.stringify({ cursor })}`
}
