import type { Framing } from '../../protocol/framing.ts'
import type { Restarts } from '../../streams/feed/window.ts'
import type { FrameBudget, FrameHolder } from './frame-budget.ts'

/** A result and the position after it: what a framing makes bytes of. */
export interface Frame {
  readonly cursor: Buffer
  readonly json: Buffer
  /** Place of its event in the window; half a place further for a frame that has none. */
  readonly seq: number
  /** Which logs had been replaced at the position, where that was before the frame was made. */
  readonly restarts: Restarts | undefined
}

/** What a frame takes beside its JSON: the object and its places; its position is shared by all groups. */
const FRAME_BYTES = 64

/** Frames as bytes of one framing, and the number after them. */
export interface FramesRead {
  readonly bytes: Buffer
  readonly next: number
}

/**
 * The newest frames of one group. A frame's number is its place in the order in which the group made them. Subscribers
 * are numbers in it, so it is the only place where frames are kept.
 */
export class FrameLog {
  readonly #budget: FrameBudget
  readonly #holder: FrameHolder
  /** Frames from `#base` on; those below `#first` have been dropped, and are cut off now and then. */
  #frames: (Frame | undefined)[] = []
  #lastSeq = -1
  #coversFrom: number
  #base = 0
  #first = 0
  #bytes = 0

  /**
   * `holder` is asked to drop a frame where the budget wants one back. `coversFrom` is the place in the window of the
   * first event that the log is going to know.
   */
  constructor(budget: FrameBudget, holder: FrameHolder, coversFrom = 0) {
    this.#budget = budget
    this.#holder = holder
    this.#coversFrom = coversFrom
  }

  /** Number of the oldest frame held; equal to `next` when there is none. */
  get first(): number {
    return this.#first
  }

  /** Number that the next frame will get. */
  get next(): number {
    return this.#base + this.#frames.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** `seq` is the place of its event in the window; undefined: it has none. Frames come in the order of their places. */
  append(cursor: Buffer, json: Buffer, seq?: number, restarts?: Restarts): void {
    const number = this.next
    this.#lastSeq = seq ?? Math.floor(this.#lastSeq) + 0.5
    const frame = { cursor, json, seq: this.#lastSeq, restarts }
    this.#frames.push(frame)
    // Of an event that was read from the log it is not known whether the window has it too.
    if (seq === undefined) this.#coversFrom = Number.POSITIVE_INFINITY
    else if (this.#coversFrom > seq) this.#coversFrom = seq
    const bytes = bytesOf(frame)
    this.#bytes += bytes
    this.#budget.add(this.#holder, number, bytes)
  }

  /**
   * The JSON of the event at a place in the window; null: the event has none, since nobody wanted it; undefined: the
   * log does not know any more, or did not yet.
   */
  jsonOf(seq: number): Buffer | null | undefined {
    if (seq < this.#coversFrom) return undefined
    let low = this.#first - this.#base
    let high = this.#frames.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#frames[middle] as Frame).seq < seq) low = middle + 1
      else high = middle
    }
    const frame = this.#frames[low]
    return frame?.seq === seq ? frame.json : null
  }

  /** The frame of this number, if it is held. */
  at(number: number): Frame | undefined {
    return this.#frames[number - this.#base]
  }

  /** Frames from `from` to before `to` as one buffer of at most `maxBytes`, but at least one frame. */
  read(from: number, to: number, maxBytes: number, framing: Framing): FramesRead {
    let next = from
    let size = 0
    while (next < to) {
      const { cursor, json } = this.#frames[next - this.#base] as Frame
      const length = framing.sizeOf(cursor, json)
      if (size > 0 && size + length > maxBytes) break
      size += length
      next++
    }
    const bytes = Buffer.allocUnsafe(size)
    let at = 0
    for (let number = from; number < next; number++) {
      const { cursor, json } = this.#frames[number - this.#base] as Frame
      at = framing.write(bytes, at, cursor, json)
    }
    return { bytes, next }
  }

  /** Drops the frames below `number`. */
  dropBefore(number: number): void {
    const before = this.#first
    const end = Math.min(number, this.next)
    let dropped = 0
    for (; this.#first < end; this.#first++) {
      const slot = this.#first - this.#base
      const frame = this.#frames[slot] as Frame
      dropped += bytesOf(frame)
      this.#frames[slot] = undefined
      this.#coversFrom = Math.max(this.#coversFrom, Math.floor(frame.seq) + 1)
    }
    if (this.#first === before) return
    this.#bytes -= dropped
    this.#budget.remove(this.#first - before, dropped)
    if (this.#first - this.#base > this.#frames.length / 2) {
      this.#frames = this.#frames.slice(this.#first - this.#base)
      this.#base = this.#first
    }
  }
}

function bytesOf({ json }: Frame): number {
  return json.length + FRAME_BYTES
}

/** The bytes of one position are made once for all groups that are told of the same event. */
export function cursorBytes(cursor: string): Buffer {
  if (cursor !== lastCursor) {
    lastCursor = cursor
    lastBytes = Buffer.from(cursor, 'latin1')
  }
  return lastBytes
}
let lastCursor = ''
let lastBytes = Buffer.alloc(0)
