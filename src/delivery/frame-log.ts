/** Bytes that all frame logs of a process may hold together. */
export class FrameBudget {
  readonly limit: number
  used = 0

  constructor(limit: number) {
    this.limit = limit
  }

  get exceeded(): boolean {
    return this.used > this.limit
  }
}

/**
 * The newest frames of one group, as bytes. A frame's number is its place in the order in which the group made them.
 * Subscribers are numbers in it, so it is the only place where frames are kept.
 */
export class FrameLog {
  #frames: Buffer[] = []
  readonly #budget: FrameBudget
  #first = 0
  #bytes = 0

  constructor(budget: FrameBudget) {
    this.#budget = budget
  }

  /** Number of the oldest frame held; equal to `next` when there is none. */
  get first(): number {
    return this.#first
  }

  /** Number that the next frame will get. */
  get next(): number {
    return this.#first + this.#frames.length
  }

  get bytes(): number {
    return this.#bytes
  }

  append(frame: Buffer): void {
    this.#frames.push(frame)
    this.#bytes += frame.length
    this.#budget.used += frame.length
  }

  /** Frames from `from` to before `to` as one piece of at most `maxBytes`, but at least one; and the number after them. */
  read(from: number, to: number, maxBytes: number): { readonly bytes: Buffer; readonly next: number } {
    let end = from - this.#first
    let size = 0
    while (end < to - this.#first) {
      const length = (this.#frames[end] as Buffer).length
      if (size > 0 && size + length > maxBytes) break
      size += length
      end++
    }
    const frames = this.#frames.slice(from - this.#first, end)
    return { bytes: frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames, size), next: this.#first + end }
  }

  /** Lets go of the frames below `number`. */
  dropBefore(number: number): void {
    const count = Math.min(Math.max(0, number - this.#first), this.#frames.length)
    if (count === 0) return
    let dropped = 0
    for (const frame of this.#frames.splice(0, count)) dropped += frame.length
    this.#first += count
    this.#bytes -= dropped
    this.#budget.used -= dropped
  }
}
