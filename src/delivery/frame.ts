/**
 * The bytes of an event stream, by the GraphQL over SSE protocol and the WHATWG's event stream format. All pure. A
 * block is always whole: the official client takes nothing of a block whose end it has not seen.
 */

/** Bytes before the JSON of a body, and after it. */
const BODY_START = 'event: next\ndata: '
const BODY_END = '\n\n'

/** A result without its position: `json` is an ExecutionResult, without line breaks. What members share. */
export function bodyOf(json: string): Buffer {
  return Buffer.from(bodyText(json))
}

export function bodyText(json: string): string {
  return BODY_START + json + BODY_END
}

/** The result in a body. */
export function jsonOf(body: Buffer): string {
  return body.toString('utf8', BODY_START.length, body.length - BODY_END.length)
}

/** The line before a body that names the position behind it. */
function idLine(cursor: string): Buffer {
  return Buffer.from(`id: ${cursor}\n`, 'latin1')
}

/** How a body and the position behind it become a frame: one piece of bytes, written as it is to every member in step. */
export interface FrameStyle {
  frameOf(cursor: string, body: Buffer): Buffer
  /** The same as text, for who puts many together. */
  textOf(cursor: string, json: string): string
  /** The body of a frame. */
  bodyOf(frame: Buffer): Buffer
  /** A position that has moved, with no result to go with it. */
  movedTo(cursor: string): Buffer
}

/** The position is the frame's id. */
export const BY_ID: FrameStyle = {
  frameOf(cursor, body) {
    const id = idLineOf(cursor)
    const frame = Buffer.allocUnsafe(id.length + body.length)
    id.copy(frame)
    body.copy(frame, id.length)
    return frame
  },
  textOf: (cursor, json) => `id: ${cursor}\n${bodyText(json)}`,
  bodyOf: (frame) => frame.subarray(frame.indexOf('\n') + 1),
  movedTo: positionBlock,
}

/** The position is in the result's `extensions` too: for clients that do not see ids. */
export const IN_EXTENSIONS: FrameStyle = {
  frameOf(cursor, body) {
    const open = body.subarray(0, -CLOSE.length)
    return concat(idLineOf(cursor), open, Buffer.from(`,${extensionsOf(cursor)}`), CLOSE)
  },
  textOf: (cursor, json) => `id: ${cursor}\n${bodyText(`${json.slice(0, -1)},${extensionsOf(cursor)}}`)}`,
  bodyOf(frame) {
    const start = frame.indexOf('\n') + 1
    const end = frame.length - CLOSE.length - 1 - extensionsOf(cursorOf(frame)).length
    return concat(frame.subarray(start, end), CLOSE)
  },
  movedTo: (cursor) => resultBlock(cursor, `{${extensionsOf(cursor)}}`),
}

/** The end of every body: of the result, and of the block. */
const CLOSE = Buffer.from(`}${BODY_END}`)

function extensionsOf(cursor: string): string {
  return `"extensions":${JSON.stringify({ cursor })}`
}

/** The position that a frame or block begins with. */
export function cursorOf(frame: Buffer): string {
  return frame.toString('latin1', 'id: '.length, frame.indexOf('\n'))
}

/** Says that what was missed has been told, and what comes now is new: for who asked for it. */
export function caughtUpBlock(cursor: string): Buffer {
  return resultBlock(cursor, JSON.stringify({ extensions: { caughtUp: true, cursor } }))
}

function resultBlock(cursor: string, json: string): Buffer {
  return Buffer.from(`id: ${cursor}\n${BODY_START}${json}${BODY_END}`)
}

/** The line of one position is made once for all groups that are told of the same event. */
function idLineOf(cursor: string): Buffer {
  if (cursor !== lastCursor) {
    lastCursor = cursor
    lastLine = idLine(cursor)
  }
  return lastLine
}
let lastCursor = ''
let lastLine = idLine('')

function concat(...parts: Buffer[]): Buffer {
  const frame = Buffer.allocUnsafe(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) at += part.copy(frame, at)
  return frame
}

/** The empty `data:` line is for native EventSource, which fires nothing without one. */
export const COMPLETE_BLOCK = Buffer.from('event: complete\ndata:\n\n')

/**
 * A position with nothing to show. The empty `data:` line moves the position of Firefox and Safari too; the official
 * client ignores the block.
 */
export function positionBlock(cursor: string): Buffer {
  return Buffer.from(`id: ${cursor}\ndata:\n\n`)
}

/** The start of a stream: how long to wait before coming back, and the position it starts at, if it has one. */
export function openingBlock(retryMs: number, cursor: string | undefined): Buffer {
  return Buffer.from(`retry: ${retryMs}\n${cursor === undefined ? '' : `id: ${cursor}\n`}data:\n\n`)
}

/** A planned end: come back after this long. */
export function retryBlock(retryMs: number): Buffer {
  return Buffer.from(`retry: ${retryMs}\n\n`)
}

/** Keeps a stream without a position from looking dead. */
export const COMMENT_BLOCK = Buffer.from(':\n\n')
