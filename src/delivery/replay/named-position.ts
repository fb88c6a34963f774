import { decodeCursor } from '../../streams/cursor/cursor.ts'
import { covers, type Vector } from '../../streams/cursor/vector.ts'

/** The position that a client has received: no later block may name a lower one. */
export class NamedPosition {
  readonly #topic: string
  /** Undefined: later blocks cannot name a lower one. */
  #vector: Vector | undefined

  constructor(topic: string, vector: Vector) {
    this.#topic = topic
    this.#vector = [...vector]
  }

  /** The client receives this position. */
  moveTo(vector: Vector): void {
    this.#vector = [...vector]
  }

  /** Whether the first frame of a run names a lower position. If not, the later ones do not either. */
  isAbove(firstCursor: string): boolean {
    if (!this.#vector) return false
    if (!covers(decodeCursor(this.#topic, firstCursor).positions, this.#vector)) return true
    this.#vector = undefined
    return false
  }
}
