/**
 * Encoding of an event stream with one operation: GraphQL over SSE in distinct connections mode, in the WHATWG's event
 * stream format. Members of all its framings share the frames of their results; what differs is the blocks that have
 * a position only.
 */
import {
  caughtUpJson,
  EXTENSIONS_BYTES,
  type Framing,
  frame,
  movedJson,
  NO_CURSOR,
  type ResultFraming,
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

/** A position without a result. */
function positionBlock(cursor: string): Buffer {
  return Buffer.from(`id: ${cursor}\n\n`, 'latin1')
}

/**
 * The same for a browser's own EventSource: by the empty `data:` line it moves the last event id in Firefox and Safari
 * too. Other readers take that line for an empty message: routers for the end of the operation, and many hand it to
 * their JSON parser.
 */
function positionMessage(cursor: string): Buffer {
  return Buffer.from(`id: ${cursor}\ndata:\n\n`, 'latin1')
}

/** The first block: the reconnection delay, and the start position, if there is one. */
export function openingBlock(retryMs: number, cursor?: string): Buffer {
  return Buffer.from(`retry: ${retryMs}\n${cursor === undefined ? '' : `id: ${cursor}\n`}\n`)
}

/** The same for a browser's own EventSource. */
function openingMessage(retryMs: number, cursor: string | undefined): Buffer {
  return cursor === undefined ? openingBlock(retryMs) : Buffer.from(`retry: ${retryMs}\nid: ${cursor}\ndata:\n\n`)
}

/** Planned end: the reconnection delay. */
export function retryBlock(retryMs: number): Buffer {
  return Buffer.from(`retry: ${retryMs}\n\n`)
}

/** A result without a position. */
export function resultBlock(json: string): Buffer {
  return frame(BY_ID.results, NO_CURSOR, Buffer.from(json))
}

/** Cache: heartbeats of one moment have the same position. */
function sharedBlocks(make: (cursor: string) => Buffer): (cursor: string) => Buffer {
  let lastCursor = ''
  let lastBlock = make(lastCursor)
  return (cursor) => {
    if (cursor !== lastCursor) {
      lastCursor = cursor
      lastBlock = make(cursor)
    }
    return lastBlock
  }
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
const RESULTS: ResultFraming = {
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
}

/** The position is in the result's `extensions` as well. */
const RESULTS_WITH_CURSORS: ResultFraming = {
  isShared: true,
  sizeOf(cursor, json) {
    const size = RESULTS.sizeOf(cursor, json)
    return cursor.length > 0 ? size + EXTENSIONS_BYTES + cursor.length : size
  },
  write(target, at, cursor, json) {
    if (cursor.length === 0) return RESULTS.write(target, at, cursor, json)
    const to = writeWithExtensions(target, writeHead(target, at, cursor), cursor, json)
    return to + END.copy(target, to)
  },
}

function withId(cursor: string, json: string): Buffer {
  return frame(RESULTS, Buffer.from(cursor, 'latin1'), Buffer.from(json))
}

function byId(opening: Framing['opening'], moved: Framing['moved']): Framing {
  return {
    results: RESULTS,
    opening,
    moved,
    heartbeat: (cursor) => (cursor === undefined ? COMMENT_BLOCK : moved(cursor)),
    caughtUp: (cursor) => withId(cursor, caughtUpJson(cursor)),
    complete: COMPLETE_BLOCK,
    retry: retryBlock,
    interrupted: retryBlock,
  }
}

function inExtensions(framing: Framing): Framing {
  return { ...framing, results: RESULTS_WITH_CURSORS, moved: (cursor) => withId(cursor, movedJson(cursor)) }
}

/** For readers of every make. */
export const BY_ID: Framing = byId(openingBlock, sharedBlocks(positionBlock))
/** For clients that do not see ids. */
export const IN_EXTENSIONS: Framing = inExtensions(BY_ID)
/** For a browser's own EventSource. */
export const FOR_EVENT_SOURCE: Framing = byId(openingMessage, sharedBlocks(positionMessage))
export const FOR_EVENT_SOURCE_IN_EXTENSIONS: Framing = inExtensions(FOR_EVENT_SOURCE)
