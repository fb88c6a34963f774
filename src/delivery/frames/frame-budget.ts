/** Owner of frames under a budget. */
export interface FrameHolder {
  /** Number of the oldest frame that it holds. */
  readonly first: number
  dropOldest(): void
}

/** Smaller queues are not worth compacting. */
const MIN_QUEUE = 1024

/**
 * Bounds the bytes of all frames of a process together, whatever the number of groups: beyond it the oldest frames are
 * dropped, in whichever group.
 */
export class FrameBudget {
  readonly limit: number
  used = 0
  /** Queue of all frames in the order of their creation: the holder and the number of each. Some have been dropped. */
  #holders: FrameHolder[] = []
  #numbers: number[] = []
  #oldest = 0
  #held = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** Accounts for a new frame. */
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

  /** Accounts for dropped frames. */
  remove(frames: number, bytes: number): void {
    this.used -= bytes
    this.#held -= frames
  }

  /** Removes entries of dropped frames. */
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
