/** Allocated at once: some hundred records. */
const BLOCK_BYTES = 64 * 1024
/** A larger value has memory of its own. */
const MAX_SHARED_BYTES = 8 * 1024

/**
 * Arena: memory for many small values that are kept for long, and are let go in about the order in which they came. Node's
 * own pool is not for them: it is shared with bytes of all kinds, so that one kept value of 100 bytes holds on to 8 KiB.
 */
export class Arena {
  #block = Buffer.alloc(0)
  #used = 0

  /** A copy. */
  keep(value: Buffer | string): Buffer {
    const bytes = typeof value === 'string' ? Buffer.byteLength(value) : value.length
    const kept = this.#reserve(bytes)
    if (typeof value === 'string') kept.write(value)
    else value.copy(kept)
    return kept
  }

  #reserve(bytes: number): Buffer {
    if (bytes > MAX_SHARED_BYTES) return Buffer.allocUnsafeSlow(bytes)
    if (this.#used + bytes > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
      this.#used = 0
    }
    const from = this.#used
    this.#used += bytes
    return this.#block.subarray(from, this.#used)
  }
}
