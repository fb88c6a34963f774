/**
 * Encoding of an event stream with one operation: GraphQL over SSE in distinct connections mode, in the WHATWG's event
 * stream format.
 */
import {
  caughtUpJson,
  EXTENSIONS_BYTES,
  type Framing,
  frame,
  movedJson,
  NO_CURSOR,
  writeWithExtensions,
} from './framing.ts'

const ID = Buffer.from('id: ')
const NEWLINE = '\n'.charCodeAt(0)
const DATA = 'data: '
const NEXT = Buffer.from(`event: next\n${DATA}`)
const END = Buffer.from('\n\n')

/** The empty `data:` line is for a native EventSource, which dispatches no event without one. */
export const COMPLETE_BLOCK = Buffer.from('event: complete\ndata:\n\n')
/** Heartbeat of a stream without a position. */
export const COMMENT_BLOCK = Buffer.from(':\n\n')

/**
 * A position without a result. The empty `data:` line updates the last event id of Firefox and Safari too; the official
 * client ignores the block.
 */
function positionBlock(cursor: string): Buffer {
  return Buffer.from(`id: ${cursor}\ndata:\n\n`, 'latin1')
}

/** The first block: the reconnection delay, and the start position, if there is one. */
export function openingBlock(retryMs: number, cursor: string | undefined): Buffer {
  return Buffer.from(`retry: ${retryMs}\n${cursor === undefined ? '' : `id: ${cursor}\n`}data:\n\n`)
}

/** Planned end: the reconnection delay. */
export function retryBlock(retryMs: number): Buffer {
  return Buffer.from(`retry: ${retryMs}\n\n`)
}

/** A result without a position. */
export function resultBlock(json: string): Buffer {
  return frame(BY_ID, NO_CURSOR, Buffer.from(json))
}

/** Cache: heartbeats of one moment have the same position. */
let lastCursor = ''
let lastBlock = positionBlock('')
function sharedPositionBlock(cursor: string): Buffer {
  if (cursor !== lastCursor) {
    lastCursor = cursor
    lastBlock = positionBlock(cursor)
  }
  return lastBlock
}

function writeHead(target: Buffer, at: number, cursor: Buffer): number {
  let to = at
  if (cursor.length > 0) {
    to += ID.copy(target, to)
    to += cursor.copy(target, to)
    target[to++] = NEWLINE
  }
  return to + NEXT.copy(target, to)
}

function headSize(cursor: Buffer): number {
  return NEXT.length + (cursor.length > 0 ? ID.length + cursor.length + 1 : 0)
}

/** The position of a result is its block's id. */
export const BY_ID: Framing = {
  isShared: true,
  sizeOf: (cursor, json) => headSize(cursor) + json.length + END.length,
  write(target, at, cursor, json) {
    let to = writeHead(target, at, cursor)
    to += json.copy(target, to)
    return to + END.copy(target, to)
  },
  jsonIn(block) {
    const end = block.length - END.length
    // The last line: JSON has no line breaks.
    return block.subarray(block.lastIndexOf(NEWLINE, end - 1) + 1 + DATA.length, end)
  },
  opening: openingBlock,
  moved: sharedPositionBlock,
  heartbeat: (cursor) => (cursor === undefined ? COMMENT_BLOCK : sharedPositionBlock(cursor)),
  caughtUp: (cursor) => withId(cursor, caughtUpJson(cursor)),
  complete: COMPLETE_BLOCK,
  retry: retryBlock,
}

/** The position is in the result's `extensions` as well: for clients that do not see ids. */
export const IN_EXTENSIONS: Framing = {
  ...BY_ID,
  jsonIn: undefined,
  sizeOf(cursor, json) {
    const size = BY_ID.sizeOf(cursor, json)
    return cursor.length > 0 ? size + EXTENSIONS_BYTES + cursor.length : size
  },
  write(target, at, cursor, json) {
    if (cursor.length === 0) return BY_ID.write(target, at, cursor, json)
    const to = writeWithExtensions(target, writeHead(target, at, cursor), cursor, json)
    return to + END.copy(target, to)
  },
  moved: (cursor) => withId(cursor, movedJson(cursor)),
}

function withId(cursor: string, json: string): Buffer {
  return frame(BY_ID, Buffer.from(cursor, 'latin1'), Buffer.from(json))
}
