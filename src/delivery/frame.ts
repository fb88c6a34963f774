/**
 * The bytes of an event stream, by the GraphQL over SSE protocol and the WHATWG's event stream format. All pure. A
 * block is always whole: the official client takes nothing of a block whose end it has not seen.
 */

/** A result with the cursor that a client has once it has taken it. `json` is an ExecutionResult, without line breaks. */
export function nextBlock(cursor: string | undefined, json: string): Buffer {
  return Buffer.from(`${cursor === undefined ? '' : `id: ${cursor}\n`}event: next\ndata: ${json}\n\n`)
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
