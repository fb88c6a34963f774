import { ownText } from '../memory/own-bytes.ts'
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
import { jsonLine } from './json-line.ts'

const CLOSE = Buffer.from('}\n\n')

/**
 * Encoding of one operation on an event stream that it shares with others: GraphQL over SSE in single connection mode.
 * Each result is in an envelope with the operation's id. Ids, `retry:` and comments belong to the whole stream.
 */
export class OperationFraming implements Framing, ResultFraming {
  readonly isShared = false
  readonly #id: string
  readonly #open: Buffer
  readonly #hasCursors: boolean

  /** `hasCursors`: positions are in the `extensions` of the results, on the client's request. */
  constructor(operationId: string, hasCursors: boolean) {
    this.#id = `{"id":${jsonLine(operationId)}`
    this.#open = ownText(`event: next\ndata: ${this.#id},"payload":`)
    this.#hasCursors = hasCursors
  }

  get results(): ResultFraming {
    return this
  }

  get complete(): Buffer {
    return Buffer.from(`event: complete\ndata: ${this.#id}}\n\n`)
  }

  sizeOf(cursor: Buffer, json: Buffer): number {
    const size = this.#open.length + json.length + CLOSE.length
    return this.#hasCursors && cursor.length > 0 ? size + EXTENSIONS_BYTES + cursor.length : size
  }

  write(target: Buffer, at: number, cursor: Buffer, json: Buffer): number {
    let to = at + this.#open.copy(target, at)
    if (this.#hasCursors && cursor.length > 0) to = writeWithExtensions(target, to, cursor, json)
    else to += json.copy(target, to)
    return to + CLOSE.copy(target, to)
  }

  opening(): Buffer {
    return NOTHING
  }

  moved(cursor: string): Buffer {
    return this.#hasCursors ? this.#result(movedJson(cursor)) : NOTHING
  }

  heartbeat(): Buffer {
    return NOTHING
  }

  caughtUp(cursor: string): Buffer {
    return this.#result(caughtUpJson(cursor))
  }

  retry(): Buffer {
    return NOTHING
  }

  interrupted(): Buffer {
    return NOTHING
  }

  #result(json: string): Buffer {
    return frame(this, NO_CURSOR, Buffer.from(json))
  }
}
