/**
 * How the items of one stream become bytes. A framing is pure: the same items give the same bytes, so members of one
 * framing can be given the same buffer. What it makes are whole blocks: no client takes a part of one.
 */
export interface Framing {
  /** Its bytes are the same for every member that has it. False: it names one operation, so nobody else has them. */
  readonly isShared: boolean
  /** Bytes that `write` takes for a result. */
  sizeOf(cursor: Buffer, json: Buffer): number
  /**
   * Writes a result at a place of the target, and returns the place after it. `json` is an ExecutionResult without
   * line breaks; `cursor` is the position after it, as text, or `NO_CURSOR`.
   */
  write(target: Buffer, at: number, cursor: Buffer, json: Buffer): number
  /** The first block: how long to wait before a reconnect, and the start position, if there is one. */
  opening(retryMs: number, cursor: string | undefined): Buffer
  /** The position has moved since the client was last told, without a result. Empty: it is not told. */
  moved(cursor: string): Buffer
  /** A heartbeat of a stream whose client knows this position; undefined: it has none to tell. Empty: there is none. */
  heartbeat(cursor: string | undefined): Buffer
  /** What was missed has been sent, and what follows is new. */
  caughtUp(cursor: string): Buffer
  /** The operation has ended, and its client is not to reconnect for it. */
  readonly complete: Buffer
  /** A planned end: reconnect after this long. Empty: it cannot be said of this operation alone. */
  retry(ms: number): Buffer
}

/** The result leads to no position. */
export const NO_CURSOR = Buffer.alloc(0)
export const NOTHING = Buffer.alloc(0)

/** One result as a buffer of its own. */
export function frame(framing: Framing, cursor: Buffer, json: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(framing.sizeOf(cursor, json))
  framing.write(bytes, 0, cursor, json)
  return bytes
}

/** The result that tells a position, and nothing else. */
export function movedJson(cursor: string): string {
  return `{${extensionsOf(cursor)}}`
}

/** The result that tells that the past has been sent. */
export function caughtUpJson(cursor: string): string {
  return `{"extensions":${JSON.stringify({ caughtUp: true, cursor })}}`
}

/** What is put before the closing brace of a result to tell its position in it. A cursor needs no escapes. */
const EXTENSIONS_OPEN = Buffer.from(',"extensions":{"cursor":"')
const EXTENSIONS_CLOSE = Buffer.from('"}}')
export const EXTENSIONS_BYTES = EXTENSIONS_OPEN.length + EXTENSIONS_CLOSE.length - 1

/** Writes a result with the position in its `extensions`: `EXTENSIONS_BYTES` and the cursor more than the result. */
export function writeWithExtensions(target: Buffer, at: number, cursor: Buffer, json: Buffer): number {
  let to = at + json.copy(target, at, 0, json.length - 1)
  to += EXTENSIONS_OPEN.copy(target, to)
  to += cursor.copy(target, to)
  return to + EXTENSIONS_CLOSE.copy(target, to)
}

function extensionsOf(cursor: string): string {
  return `"extensions":${JSON.stringify({ cursor })}`
}
