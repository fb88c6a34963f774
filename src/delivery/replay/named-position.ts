import { decodeCursor } from '../../streams/cursor/cursor.ts'
import { covers, type Vector } from '../../streams/cursor/vector.ts'

/** The position that a client goes by: nothing it is given may name less. */
export class NamedPosition {
  readonly #topic: string
  /** Undefined: what is to come names no less, for sure. */
  #vector: Vector | undefined

  constructor(topic: string, vector: Vector) {
    this.#topic = topic
    this.#vector = [...vector]
  }

  /** The client is told this position. */
  moveTo(vector: Vector): void {
    this.#vector = [...vector]
  }

  /** Whether the first frame of a run names less; if it does not, those after it do not either. */
  isAbove(firstCursor: string): boolean {
    if (!this.#vector) return false
    if (!covers(decodeCursor(this.#topic, firstCursor).positions, this.#vector)) return true
    this.#vector = undefined
    return false
  }
}
