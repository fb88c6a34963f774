/**
 * Encoding of a stream with one operation in parts (RFC 2046), by Apollo's protocol for subscriptions over HTTP: each
 * part is JSON, and a result is the `payload` in it. A reader knows that a part is whole by the boundary that follows
 * it, so each part is written with that, and the first boundary comes before there is any part.
 */
import { ERRORS } from '../errors/codes.ts'
import {
  caughtUpJson,
  EXTENSIONS_BYTES,
  type Framing,
  frame,
  movedJson,
  NO_CURSOR,
  NOTHING,
  type ResultFraming,
  writeWithExtensions,
} from './framing.ts'

/** No JSON contains it after a line break: those are escaped in JSON. */
export const BOUNDARY = 'graphql'
const DELIMITER = `\r\n--${BOUNDARY}`
const CLOSING = '--\r\n'
const PART_HEAD = '\r\ncontent-type: application/json\r\n\r\n'
const RESULT_OPEN = Buffer.from(`${PART_HEAD}{"payload":`)
const RESULT_CLOSE = Buffer.from(`}${DELIMITER}`)

/** The first boundary. */
const OPENING = Buffer.from(`--${BOUNDARY}`)
const HEARTBEAT = part('{}')
/**
 * White space after a boundary belongs to it (RFC 2046 section 5.1.1). A part without a result is an error to readers
 * that do not know Apollo's heartbeats, or they give the last result once more.
 */
const PADDING = Buffer.from(' ')

function part(json: string): Buffer {
  return Buffer.from(PART_HEAD + json + DELIMITER)
}

function lastPart(json: string): Buffer {
  return Buffer.concat([part(json), Buffer.from(CLOSING)])
}

/** A part has no place for a position: results have none. */
const RESULTS: ResultFraming = {
  isShared: true,
  sizeOf: (_cursor, json) => RESULT_OPEN.length + json.length + RESULT_CLOSE.length,
  write(target, at, _cursor, json) {
    let to = at + RESULT_OPEN.copy(target, at)
    to += json.copy(target, to)
    return to + RESULT_CLOSE.copy(target, to)
  },
  jsonIn: (block) => block.subarray(RESULT_OPEN.length, block.length - RESULT_CLOSE.length),
}

/** The position is in the result's `extensions`. */
const RESULTS_WITH_CURSORS: ResultFraming = {
  isShared: true,
  sizeOf(cursor, json) {
    const size = RESULTS.sizeOf(cursor, json)
    return cursor.length > 0 ? size + EXTENSIONS_BYTES + cursor.length : size
  },
  write(target, at, cursor, json) {
    if (cursor.length === 0) return RESULTS.write(target, at, cursor, json)
    const to = writeWithExtensions(target, at + RESULT_OPEN.copy(target, at), cursor, json)
    return to + RESULT_CLOSE.copy(target, to)
  },
}

function inParts(heartbeat: Buffer): Framing {
  return {
    results: RESULTS,
    opening: () => OPENING,
    moved: () => heartbeat,
    heartbeat: () => heartbeat,
    caughtUp: (cursor) => result(caughtUpJson(cursor)),
    complete: lastPart('{"payload":null}'),
    retry: () => NOTHING,
    interrupted: (retryAfterMs) => lastPart(`{"payload":null,"errors":[${interruption(retryAfterMs)}]}`),
  }
}

/** Clients ask for positions to come back with: the first is where the stream starts. */
function inExtensions(framing: Framing): Framing {
  const moved = (cursor: string): Buffer => result(movedJson(cursor))
  return {
    ...framing,
    results: RESULTS_WITH_CURSORS,
    opening: (_retryMs, cursor) => (cursor === undefined ? OPENING : Buffer.concat([OPENING, moved(cursor)])),
    moved,
  }
}

function result(json: string): Buffer {
  return frame(RESULTS, NO_CURSOR, Buffer.from(json))
}

/** An error of the transport: the operation is not complete, and the client may ask again. */
function interruption(retryAfterMs: number): string {
  const { message } = ERRORS.STREAM_INTERRUPTED
  return JSON.stringify({ message, extensions: { code: 'STREAM_INTERRUPTED', retryAfterMs } })
}

/** For clients that ask for `subscriptionSpec=1.0`. */
export const IN_PARTS: Framing = inParts(HEARTBEAT)
export const IN_PARTS_WITH_CURSORS: Framing = inExtensions(IN_PARTS)
/** For other readers of `multipart/mixed`. */
export const IN_PLAIN_PARTS: Framing = inParts(PADDING)
export const IN_PLAIN_PARTS_WITH_CURSORS: Framing = inExtensions(IN_PLAIN_PARTS)

/** A stream of one result, for queries, mutations and refused operations. */
export function onceInParts(json: string): Buffer {
  return Buffer.concat([OPENING, result(json), IN_PARTS.complete])
}

/** The same for other readers: to some of them a part that follows is one more result. */
export function onceInPlainParts(json: string): Buffer {
  return Buffer.concat([OPENING, lastPart(`{"payload":${json}}`)])
}
