import type { MapOrderFragment } from '../gql/graphql.ts'

/** Forty seconds of 500 events a second. */
const MAX_KEYS = 20_000

/** Whether one subscription got all that another one got. Orders come again with each status: the status counts. */
export class Comparison {
  readonly #main = new Set<string>()
  readonly #witness = new Set<string>()
  #isClosed = false
  /** They were too many to be compared. */
  isTooMuch = false

  main(order: MapOrderFragment): void {
    this.#add(this.#main, order)
  }

  witness(order: MapOrderFragment): void {
    if (!this.#isClosed) this.#add(this.#witness, order)
  }

  /** What the witness gets from now on is not asked for. */
  close(): void {
    this.#isClosed = true
  }

  get witnessed(): number {
    return this.#witness.size
  }

  /** What the witness has got, and the other has not. */
  missing(): Set<string> {
    return this.#witness.difference(this.#main)
  }

  #add(keys: Set<string>, order: MapOrderFragment): void {
    if (keys.size >= MAX_KEYS) this.isTooMuch = true
    else keys.add(keyOf(order))
  }
}

export function keyOf({ id, status }: MapOrderFragment): string {
  return `${id} ${status}`
}
