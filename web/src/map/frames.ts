/** A frame of a screen of 60 Hz, ms. */
const FRAME_MS = 1_000 / 60
/** More than this between two frames, and at least one was left out. */
const DROPPED_MS = 1.6 * FRAME_MS
/** Above this on average, the map leaves the rings out; below the other, it draws them again. ms between frames. */
const TOO_SLOW_MS = 20
const FAST_MS = 17.5
const SMOOTHING = 0.03

/** Frame statistics, and whether rings are drawn: they are omitted while frames are slow. */
export class Frames {
  count = 0
  dropped = 0
  longestMs = 0
  hasRings = true
  #lastAt = 0
  #averageMs = FRAME_MS

  /** A frame is about to be drawn, `now` ms. */
  begin(now: number): void {
    const passed = now - this.#lastAt
    if (this.#lastAt > 0) {
      if (passed > DROPPED_MS) this.dropped += Math.round(passed / FRAME_MS) - 1
      this.longestMs = Math.max(this.longestMs, passed)
      this.#averageMs += SMOOTHING * (Math.min(passed, 10 * FRAME_MS) - this.#averageMs)
      if (this.#averageMs > TOO_SLOW_MS) this.hasRings = false
      else if (this.#averageMs < FAST_MS) this.hasRings = true
    }
    this.count++
    this.#lastAt = now
  }

  /** No frame follows for a while: the time until the next is no delay. */
  rest(): void {
    this.#lastAt = 0
  }
}
