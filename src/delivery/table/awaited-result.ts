/** The last result that had to be awaited, until it is asked for again. */
export class AwaitedResult {
  #of: object | undefined
  #json: Buffer | undefined

  /** The result. A promise: ask again when it is settled. */
  of<T extends Buffer | null>(what: object, render: () => T | Promise<Buffer>): T | Buffer | Promise<void> {
    if (this.#of === what && this.#json) {
      const json = this.#json
      this.#of = undefined
      this.#json = undefined
      return json
    }
    const json = render()
    if (!(json instanceof Promise)) return json
    return json.then((settled) => {
      this.#of = what
      this.#json = settled
    })
  }
}
