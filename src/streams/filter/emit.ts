import { byCost } from './cost.ts'
import type { DecimalBound } from './decimal.ts'
import { DecimalRange } from './decimal.ts'
import type { FieldKind, FilterField } from './filter.ts'
import { type InstantBound, InstantRange } from './instant.ts'
import { matcherOf } from './matcher.ts'
import { type Condition, isTrue, type Node, type Operation } from './node.ts'
import type { Interval } from './range.ts'

/** The body of a function that makes a test of `constants`, and these. */
export interface Emitted {
  readonly code: string
  readonly constants: readonly unknown[]
}

export function emit(node: Node): Emitted {
  const emitter = new Emitter()
  emitter.root(node)
  return emitter.emitted
}

/** Of more values than these a `Set` finds one sooner than a comparison with each. */
const COMPARED_VALUES = 4

/** How the value of a field is written: where it may be the first use, and after that. */
interface Read {
  readonly first: string
  readonly again: string
}

/** Marks a value that has not been read. */
const UNREAD = Symbol('unread')

class Emitter {
  readonly #lines: string[] = []
  readonly #constants: unknown[] = []
  readonly #reads = new Map<string, Read>()

  get emitted(): Emitted {
    const names = this.#constants.map((_, i) => `c${i}`)
    const code = `"use strict";\nconst [${names.join(',')}] = constants;\nreturn (value) => {\n${this.#lines.join('\n')}\n}`
    return { code, constants: this.#constants }
  }

  /** A statement for each part, which ends the test if it decides it: cheap parts first. */
  root(node: Node): void {
    const isAny = node.kind === 'any'
    for (const part of node.kind === 'condition' ? [node] : byCost(node.of)) {
      this.#declareReads(part)
      const condition = this.#expression(part)
      this.#lines.push(isAny ? `if (${condition}) return true;` : `if (!${condition}) return false;`)
    }
    this.#lines.push(`return ${!isAny};`)
  }

  /** The fields of a part that no part before has read. Functions in a group are called when they are needed. */
  #declareReads(part: Node): void {
    for (const field of fieldsOf(part)) {
      if (this.#reads.has(field.path)) continue
      const name = `v${this.#reads.size}`
      const read = field.properties ? access(field.properties) : `${this.#constant(field.read)}(value)`
      const isLazy = part.kind !== 'condition' && !field.properties
      const unread = isLazy ? this.#constant(UNREAD) : ''
      this.#lines.push(isLazy ? `let ${name} = ${unread};` : `const ${name} = ${read};`)
      const first = isLazy ? `(${name} === ${unread} ? (${name} = ${read}) : ${name})` : name
      this.#reads.set(field.path, { first, again: name })
    }
  }

  #expression(node: Node): string {
    if (node.kind === 'condition') return this.#condition(node)
    if (node.of.length === 0) return String(isTrue(node))
    const parts = byCost(node.of).map((part) => this.#expression(part))
    return `(${parts.join(node.kind === 'all' ? ' && ' : ' || ')})`
  }

  #condition({ field, operation, isNegated }: Condition): string {
    const read = this.#reads.get(field.path) as Read
    const positive = `(${field.isList ? this.#call(field.kind, operation, read) : this.#operation(field.kind, operation, read)})`
    return isNegated ? `!${positive}` : positive
  }

  #operation(kind: FieldKind, operation: Operation, read: Read): string {
    const { first, again } = read
    switch (operation.op) {
      case 'in':
        return this.#among(kind, operation, read)
      case 'range':
        return this.#range(kind, operation, read)
      case 'startsWith':
        return `typeof ${first} === "string" && ${again}.startsWith(${this.#constant(operation.text)})`
      case 'contains':
        return `typeof ${first} === "string" && ${again}.indexOf(${this.#constant(operation.text)}) !== -1`
      default:
        return this.#call(kind, operation, read)
    }
  }

  #among(kind: FieldKind, operation: Operation & { readonly op: 'in' }, read: Read): string {
    const { values, hasNull } = operation
    if (values.size === 0) return `${read.first} == null`
    if (kind === 'decimal' || kind === 'instant') {
      const [value] = values
      const bound = { value, isOpen: false }
      // The canonical form of each event's value costs more than to compare it with one.
      return values.size === 1 && !hasNull
        ? this.#range(kind, { op: 'range', low: bound, high: bound }, read)
        : this.#call(kind, operation, read)
    }
    const { again } = read
    const tests = hasNull ? [`${read.first} == null`] : []
    const first = hasNull ? again : read.first
    if (values.size > COMPARED_VALUES) tests.push(`${this.#constant(values)}.has(${first})`)
    else tests.push(...Array.from(values, (value, i) => `${i === 0 ? first : again} === ${this.#constant(value)}`))
    // Equal values of another type: ids that are numbers, bigints.
    if (kind === 'id')
      tests.push(`typeof ${again} !== "string" && ${this.#call(kind, operation, { first: again, again })}`)
    if (kind === 'number')
      tests.push(`typeof ${again} === "bigint" && ${this.#call(kind, operation, { first: again, again })}`)
    return tests.join(' || ')
  }

  #range(kind: FieldKind, { low, high }: Interval, { first, again }: Read): string {
    if (kind === 'decimal') {
      const range = new DecimalRange(low as DecimalBound | undefined, high as DecimalBound | undefined)
      return `${this.#constant(range)}.has(${first})`
    }
    if (kind === 'instant') {
      const range = new InstantRange(low as InstantBound | undefined, high as InstantBound | undefined)
      return `${this.#constant(range)}.has(${first})`
    }
    const tests = [`(typeof ${first} === "number" || typeof ${again} === "bigint")`]
    if (low) tests.push(`${again} ${low.isOpen ? '>' : '>='} ${this.#constant(low.value)}`)
    if (high) tests.push(`${again} ${high.isOpen ? '<' : '<='} ${this.#constant(high.value)}`)
    return tests.join(' && ')
  }

  #call(kind: FieldKind, operation: Operation, { first }: Read): string {
    return `${this.#constant(matcherOf(kind, operation))}(${first})`
  }

  #constant(value: unknown): string {
    return `c${this.#constants.push(value) - 1}`
  }
}

/** Names of properties are the definition's. Absent on the way is null. */
function access(properties: readonly string[]): string {
  return `value${properties.map((property) => `?.[${JSON.stringify(property)}]`).join('')}`
}

function fieldsOf(node: Node): readonly FilterField[] {
  return node.kind === 'condition' ? [node.field] : node.of.flatMap(fieldsOf)
}
