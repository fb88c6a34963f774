/** Whoever keeps frames under a budget. */
export interface FrameHolder {
  /** Number of the oldest frame that it holds. */
  readonly first: number
  dropOldest(): void
}

/** Below this many entries the queue is not worth compacting. */
const MIN_QUEUE = 1024

/**
 * Bounds the bytes of all frames of a process together, whatever the number of groups: when there are too many, the
 * oldest go first, whosever they are.
 */
export class FrameBudget {
  readonly limit: number
  used = 0
  /** Every frame in the order in which they were made: whose it is, and its number. Some have been dropped. */
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
    if (this.#holders.length > 2 * this.#held + MIN_QUEUE) this.#compact()
  }

  /** Frames have been dropped, for whatever reason. */
  remove(frames: number, bytes: number): void {
    this.used -= bytes
    this.#held -= frames
  }

  /** Forgets the frames that nobody holds any more. */
  #compact(): void {
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
