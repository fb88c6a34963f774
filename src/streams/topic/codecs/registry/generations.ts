/**
 * A cache of bounded size, in which what was used lately stays: two maps, of which the older is dropped when the
 * younger is full. What is used is moved to the younger one.
 */
export class Generations<V extends { readonly bytes: number }> {
  readonly #maxBytes: number
  #young = new Map<number, V>()
  #old = new Map<number, V>()
  #youngBytes = 0

  /** Each generation has half of the bytes, or one value that is larger. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes / 2
  }

  get(id: number): V | undefined {
    const young = this.#young.get(id)
    if (young) return young
    const old = this.#old.get(id)
    if (old) this.set(id, old)
    return old
  }

  set(id: number, value: V): void {
    if (this.#youngBytes + value.bytes > this.#maxBytes && this.#young.size > 0) {
      this.#old = this.#young
      this.#young = new Map()
      this.#youngBytes = 0
    }
    if (!this.#young.has(id)) this.#youngBytes += value.bytes
    this.#young.set(id, value)
  }
}
