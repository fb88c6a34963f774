/** Whoever keeps frames under a budget. */
export interface FrameHolder {
  /** Number of the oldest frame that it holds. */
  readonly first: number
  dropOldest(): void
}

/**
 * Bounds the bytes of all frames of a process together, whatever the number of groups: when there are too many, the
 * oldest go first, whosever they are.
 */
export class FrameBudget {
  readonly limit: number
  used = 0
  /** Every frame in the order in which they were made: whose it is, and its number. Some have been let go. */
  #holders: FrameHolder[] = []
  #numbers: number[] = []
  #oldest = 0
  #held = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** A frame has been made. */
  add(holder: FrameHolder, number: number, bytes: number): void {
    this.used += bytes
    this.#held++
    this.#holders.push(holder)
    this.#numbers.push(number)
    while (this.used > this.limit && this.#oldest < this.#holders.length) {
      const oldest = this.#holders[this.#oldest] as FrameHolder
      if (oldest.first === this.#numbers[this.#oldest++]) oldest.dropOldest()
    }
    if (this.#holders.length > 2 * this.#held + MIN_QUEUE) this.#tidy()
  }

  /** Frames have been let go, however it came. */
  remove(frames: number, bytes: number): void {
    this.used -= bytes
    this.#held -= frames
  }

  /** Forgets the frames that nobody holds any more. */
  #tidy(): void {
    const holders: FrameHolder[] = []
    const numbers: number[] = []
    for (let i = this.#oldest; i < this.#holders.length; i++) {
      const holder = this.#holders[i] as FrameHolder
      const number = this.#numbers[i] as number
      if (number < holder.first) continue
      holders.push(holder)
      numbers.push(number)
    }
    this.#holders = holders
    this.#numbers = numbers
    this.#oldest = 0
  }
}

/** Below this many entries the queue is not worth tidying. */
const MIN_QUEUE = 1024

/**
 * The newest frames of one group, as bytes. A frame's number is its place in the order in which the group made them.
 * Subscribers are numbers in it, so it is the only place where frames are kept.
 */
export class FrameLog {
  readonly #budget: FrameBudget
  readonly #holder: FrameHolder
  /** Frames from `#base` on; those below `#first` have been let go, and are cut off now and then. */
  #frames: (Buffer | undefined)[] = []
  /** Of each frame the place of its event in the window; half a place further for a frame that has none. */
  #seqs: number[] = []
  #coversFrom: number
  #base = 0
  #first = 0
  #bytes = 0

  /**
   * `holder` is asked to let go of a frame where the budget wants one back. `coversFrom` is the place in the window of
   * the first event that the log is going to know.
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
  append(frame: Buffer, seq?: number): void {
    const number = this.next
    this.#frames.push(frame)
    this.#seqs.push(seq ?? Math.floor(this.#seqs.at(-1) ?? -1) + 0.5)
    // Of an event that was read from the log it is not known whether the window has it too.
    if (seq === undefined) this.#coversFrom = Number.POSITIVE_INFINITY
    else if (this.#coversFrom > seq) this.#coversFrom = seq
    this.#bytes += frame.length
    this.#budget.add(this.#holder, number, frame.length)
  }

  /**
   * The frame of the event at a place in the window; null: the event has none, since nobody wanted it; undefined: the
   * log does not know any more, or did not yet.
   */
  frameOf(seq: number): Buffer | null | undefined {
    if (seq < this.#coversFrom) return undefined
    let low = this.#first - this.#base
    let high = this.#seqs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#seqs[middle] as number) < seq) low = middle + 1
      else high = middle
    }
    return this.#seqs[low] === seq ? this.#frames[low] : null
  }

  /** The frame of this number, if it is held. */
  at(number: number): Buffer | undefined {
    return this.#frames[number - this.#base]
  }

  /** Frames from `from` to before `to` as one piece of at most `maxBytes`, but at least one; and the number after them. */
  read(from: number, to: number, maxBytes: number): { readonly bytes: Buffer; readonly next: number } {
    let end = from
    let size = 0
    while (end < to) {
      const { length } = this.#frames[end - this.#base] as Buffer
      if (size > 0 && size + length > maxBytes) break
      size += length
      end++
    }
    const frames = this.#frames.slice(from - this.#base, end - this.#base) as Buffer[]
    return { bytes: frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames, size), next: end }
  }

  /** Lets go of the frames below `number`. */
  dropBefore(number: number): void {
    const before = this.#first
    const end = Math.min(number, this.next)
    let dropped = 0
    for (; this.#first < end; this.#first++) {
      const slot = this.#first - this.#base
      dropped += (this.#frames[slot] as Buffer).length
      this.#frames[slot] = undefined
      this.#coversFrom = Math.max(this.#coversFrom, Math.floor(this.#seqs[slot] as number) + 1)
    }
    if (this.#first === before) return
    this.#bytes -= dropped
    this.#budget.remove(this.#first - before, dropped)
    if (this.#first - this.#base > this.#frames.length / 2) {
      this.#frames = this.#frames.slice(this.#first - this.#base)
      this.#seqs = this.#seqs.slice(this.#first - this.#base)
      this.#base = this.#first
    }
  }
}
