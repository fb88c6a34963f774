import type { StreamEvent } from '../event.ts'
import type { Ordered } from '../topic/ordered.ts'

/** An ordered value of the present event: it is read from text once, however many shapes and interests ask for it. */
export class Measure {
  readonly #ordered: Ordered
  #number = 0
  #place = Number.NaN

  constructor(ordered: Ordered) {
    this.#ordered = ordered
  }

  /** `number` tells one event from another; it is above zero. */
  of(event: StreamEvent, number: number): number {
    if (this.#number !== number) {
      this.#place = this.#ordered.read(event)
      this.#number = number
    }
    return this.#place
  }
}
