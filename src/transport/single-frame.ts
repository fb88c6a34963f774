import { bodyOf, COMPLETE_BLOCK } from '../delivery/frame.ts'

/** Lines of a block by what they begin with: all that the engine writes. */
const EVENT = 'e'.charCodeAt(0)
const NEWLINE = '\n'.charCodeAt(0)
/** What a result's block has before its JSON, */
const NEXT_START = bodyOf('').subarray(0, -2)
/** and what tells it from the end's: the first letter of the event. */
const EVENT_NAME = 'event: '.length
const NEXT = 'n'.charCodeAt(0)
const CLOSE = Buffer.from('}\n\n')

/** What the blocks of one operation say, on a stream that it shares with others. */
export interface Wrapped {
  /** Empty, if they say nothing but positions. */
  readonly bytes: Buffer
  /** The operation is complete. */
  readonly complete: boolean
}

/**
 * Puts an operation's blocks into the form they have in single connection mode: a result with the operation's id
 * around it. The JSON of a result is not read. Positions, `retry:` and comments are left out: the stream is not
 * the operation's alone. All pure.
 */
export class Envelope {
  readonly #open: Buffer
  readonly #complete: Buffer

  constructor(operationId: string) {
    const id = `{"id":${JSON.stringify(operationId)}`
    this.#open = Buffer.from(`${NEXT_START}${id},"payload":`)
    this.#complete = Buffer.from(`event: complete\ndata: ${id}}\n\n`)
  }

  /** @param blocks whole blocks, as the engine makes them. */
  wrap(blocks: Buffer): Wrapped {
    /** Where each JSON begins, and where it ends. */
    const jsons: number[] = []
    let complete = false
    let length = 0
    for (let at = 0; at < blocks.length; ) {
      if (blocks[at] !== EVENT) {
        at = blocks.indexOf(NEWLINE, at) + 1
        // A line without an end would be read for ever.
        if (at === 0) break
      } else if (blocks[at + EVENT_NAME] === NEXT) {
        const start = at + NEXT_START.length
        const end = blocks.indexOf(NEWLINE, start)
        jsons.push(start, end)
        length += this.#open.length + (end - start) + CLOSE.length
        at = end + 2
      } else {
        complete = true
        length += this.#complete.length
        at += COMPLETE_BLOCK.length
      }
    }
    const bytes = Buffer.allocUnsafe(length)
    let to = 0
    for (let each = 0; each < jsons.length; each += 2) {
      to += this.#open.copy(bytes, to)
      to += blocks.copy(bytes, to, jsons[each], jsons[each + 1])
      to += CLOSE.copy(bytes, to)
    }
    if (complete) this.#complete.copy(bytes, to)
    return { bytes, complete }
  }
}
