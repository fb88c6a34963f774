import { type Schema, Uncompilable } from './known.ts'

/** Emits the statements that validate `from` by a schema, and returns the expression of the result. */
export type Emit = (emitter: Emitter, schema: Schema, from: string) => string

/** V8 does not optimize functions of more than 60 KB of bytecode: parts beyond this number are zod's. */
const MAX_PARTS = 1000
/** Nesting limit of the schema itself: getters of a shape may nest without end. */
const MAX_LEVELS = 50

/** Generated statements, with what they use. A name is never taken from a schema, and a value only as a constant. */
export class Emitter {
  /** Statement that leaves the innermost place where a refusal is not the refusal of the whole. */
  fail = 'return INVALID'
  /** The validated part of the input has a bounded depth. */
  isBounded = true
  /** Number of parts so far that run code which is not zod's, or zod itself. */
  foreign = 0
  /** Number of parts so far that read properties of the input. */
  reads = 0
  readonly #lines: string[] = []
  readonly #constants = new Map<unknown, string>()
  readonly #path: Schema[] = []
  #names = 0
  #parts = 0
  #trying = 0
  #piping = 0

  get code(): string {
    return this.#lines.join('\n')
  }

  /** By name, in the order of their creation. */
  get constants(): readonly (readonly [string, unknown])[] {
    return [...this.#constants].map(([value, name]) => [name, value])
  }

  write(...lines: string[]): void {
    this.#lines.push(...lines)
  }

  /** Writes a statement with a block. */
  block(head: string, emit: () => void): void {
    this.write(`${head} {`)
    emit()
    this.write('}')
  }

  failIf(condition: string): void {
    this.write(`if (${condition}) ${this.fail};`)
  }

  /** Declares a variable that does not change, and returns its name. */
  const(expression: string): string {
    const name = `v${this.#names++}`
    this.write(`const ${name} = ${expression};`)
    return name
  }

  let(expression: string): string {
    const name = `v${this.#names++}`
    this.write(`let ${name} = ${expression};`)
    return name
  }

  /** A name for a loop variable or a label. */
  name(): string {
    return `v${this.#names++}`
  }

  constant(value: unknown): string {
    const name = this.#constants.get(value) ?? `c${this.#constants.size}`
    this.#constants.set(value, name)
    return name
  }

  /** The part runs code of the schema's author, or zod: it may throw, and may see in which order it is called. */
  isForeign(): void {
    this.foreign++
    if (this.#trying > 0) throw new Uncompilable()
  }

  /** The part may report issues after which zod goes on in a pipe. */
  isLenient(): void {
    if (this.#piping > 0) throw new Uncompilable()
  }

  /**
   * Emits what may be refused without refusing the whole. Statements end at the first refusal, where zod goes on: so
   * nothing in it may be foreign.
   */
  try(fail: string, emit: () => void): void {
    const outer = this.fail
    this.fail = fail
    this.#trying++
    try {
      emit()
    } finally {
      this.fail = outer
      this.#trying--
    }
  }

  /** Emits the first part of a pipe, of which no issue may be lenient. */
  pipe<T>(emit: () => T): T {
    this.#piping++
    try {
      return emit()
    } finally {
      this.#piping--
    }
  }

  /**
   * Emits a part, or `instead`, without what was written of it, if it cannot be compiled, or contains itself.
   */
  part(schema: Schema, emit: () => string, instead: () => string): string {
    const lines = this.#lines.length
    if (this.#path.includes(schema) || this.#path.length >= MAX_LEVELS || ++this.#parts > MAX_PARTS) return instead()
    this.#path.push(schema)
    try {
      return emit()
    } catch (error) {
      if (!(error instanceof Uncompilable)) throw error
      this.#lines.length = lines
      return instead()
    } finally {
      this.#path.pop()
    }
  }
}

/** A text as a literal. */
export function quote(text: string): string {
  return JSON.stringify(text)
}

/** A bound or another value, in a comparison. */
export function operand(emitter: Emitter, value: unknown): string {
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : emitter.constant(value)
}
