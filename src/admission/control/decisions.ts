import type { Control } from './control.ts'
import { type ControlEntry, controlKey } from './control-entry.ts'

/** Where the decisions of all instances are. */
export interface ControlWriter {
  /** Resolves when it is safe. Without `entry`: the one of the key is undone. */
  write(key: string, entry: ControlEntry | undefined): Promise<void>
}

/** A decision that was not taken, or not by all instances. The message is for operators. */
export class DecisionFailed extends Error {
  override readonly name = 'DecisionFailed'
  readonly status: 503 | 507

  constructor(status: 503 | 507, message: string) {
    super(message)
    this.status = status
  }
}

/** What operators decide: it is in force here at once, and everywhere when the log has it. */
export class Decisions {
  readonly #control: Control
  readonly #writer: ControlWriter | undefined

  /** Without a writer this instance is the only one. */
  constructor(control: Control, writer?: ControlWriter) {
    this.#control = control
    this.#writer = writer
  }

  /**
   * Revokes or blocks. Returns how many streams it has ended on this instance.
   * @throws DecisionFailed
   */
  async take(entry: ControlEntry): Promise<number> {
    const control = this.#control
    if (!control.put(entry)) {
      const { size } = control.list
      throw new DecisionFailed(507, `There is no room for more than the ${size} decisions in force: undo some`)
    }
    const ending = control.enforce()
    await this.#write(controlKey(entry), entry, 'It is in force on this instance only')
    return await ending
  }

  /**
   * Undoes a decision, whether or not it is known here. It is in force here until it comes by the log, which may have a
   * later decision by then.
   * @throws DecisionFailed
   */
  async undo(decided: Pick<ControlEntry, 'kind' | 'value'>): Promise<void> {
    const key = controlKey(decided)
    if (this.#writer) await this.#write(key, undefined, 'It stays in force')
    else this.#control.delete(key)
  }

  async #write(key: string, entry: ControlEntry | undefined, otherwise: string): Promise<void> {
    try {
      await this.#writer?.write(key, entry)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new DecisionFailed(503, `${otherwise}, since it could not be written to the control topic: ${why}`)
    }
  }
}
