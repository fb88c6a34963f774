import { Arena } from '../../memory/arena.ts'
import type { ResultFraming } from '../../protocol/framing.ts'
import type { Restarts } from '../../streams/feed/window.ts'
import type { FrameBudget, FrameHolder } from './frame-budget.ts'

/** A result and the position after it: the input of a framing. */
export interface Frame {
  readonly cursor: Buffer
  readonly json: Buffer
  /** Sequence number of its event in the window; half a number further for a frame without an event. */
  readonly seq: number
  /** The restarts of the logs at the position. */
  readonly restarts: Restarts
}

/** Overhead of a frame beside its JSON: the object and its slots. Its position is shared by all groups. */
const FRAME_BYTES = 64

/** Encoded frames, and the number after them. */
export interface FramesRead {
  readonly bytes: Buffer
  readonly next: number
}

/**
 * Frame log: the newest frames of one group, the only place where frames are kept. A frame's number is its index in the
 * order of creation. Subscribers are numbers in it.
 */
export class FrameLog {
  readonly #budget: FrameBudget
  readonly #holder: FrameHolder
  /** Frames from `#base` on. Those below `#first` have been dropped, and are compacted in batches. */
  #frames: (Frame | undefined)[] = []
  #lastSeq = -1
  #coversFrom: number
  #base = 0
  #first = 0
  #bytes = 0

  /**
   * `holder` is asked to drop a frame if the budget is exceeded. `coversFrom` is the sequence number in the window of
   * the first event that the log covers.
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

  /** `seq` is the sequence number of its event in the window; undefined: none. Frames are appended in that order. */
  append(cursor: Buffer, json: Buffer, seq: number | undefined, restarts: Restarts): void {
    const number = this.next
    this.#lastSeq = seq ?? Math.floor(this.#lastSeq) + 0.5
    const frame = { cursor, json, seq: this.#lastSeq, restarts }
    this.#frames.push(frame)
    // An event read from the log may be in the window or not.
    if (seq === undefined) this.#coversFrom = Number.POSITIVE_INFINITY
    else if (this.#coversFrom > seq) this.#coversFrom = seq
    const bytes = bytesOf(frame)
    this.#bytes += bytes
    this.#budget.add(this.#holder, number, bytes)
  }

  /**
   * The JSON of the event at a sequence number of the window; null: the group did not select it; undefined: the log
   * does not cover it.
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

  /** Whether the JSON of the frames from `from` on has more bytes than `limit`. */
  exceeds(from: number, limit: number): boolean {
    if (limit === Number.POSITIVE_INFINITY) return false
    let bytes = 0
    for (let number = from; number < this.next && bytes <= limit; number++) bytes += this.at(number)?.json.length ?? 0
    return bytes > limit
  }

  /** Frames from `from` to before `to` as one buffer of at most `maxBytes`, but at least one frame. */
  read(from: number, to: number, maxBytes: number, framing: ResultFraming): FramesRead {
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

/** The bytes of a position, cached for all groups that receive the same event. */
export function cursorBytes(cursor: string): Buffer {
  if (cursor !== lastCursor) {
    lastCursor = cursor
    lastBytes = CURSORS.keep(cursor)
  }
  return lastBytes
}
/** As many frame logs keep them as have the event. */
const CURSORS = new Arena()
let lastCursor = ''
let lastBytes: Buffer = Buffer.alloc(0)
