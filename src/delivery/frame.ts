/**
 * The bytes of an event stream, by the GraphQL over SSE protocol and the WHATWG's event stream format. All pure. A
 * block is always whole: the official client takes nothing of a block whose end it has not seen.
 */

/** Bytes before the JSON of a body, and after it. */
const BODY_START = 'event: next\ndata: '
const BODY_END = '\n\n'

/** A result without its position: `json` is an ExecutionResult, without line breaks. What members share. */
export function bodyOf(json: string): Buffer {
  return Buffer.from(BODY_START + json + BODY_END)
}

/** The line before a body that names the position behind it. */
export function idLine(cursor: string): Buffer {
  return Buffer.from(`id: ${cursor}\n`, 'latin1')
}

/** A body with its position: one piece of bytes, written as it is to every member in step. */
export function frameOf(id: Buffer, body: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(id.length + body.length)
  id.copy(frame)
  body.copy(frame, id.length)
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
