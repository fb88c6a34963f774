import { hash } from 'node:crypto'
import type { FilterField } from './filter.ts'

/** A bound of a range, canonical. */
export interface Bound {
  readonly value: unknown
  /** The value itself is beyond it. */
  readonly isOpen: boolean
}

/** What a condition asks of its field's value. All constants are canonical (canonical.ts). */
export type Operation =
  | { readonly op: 'in'; readonly values: ReadonlySet<unknown>; readonly hasNull: boolean }
  | { readonly op: 'range'; readonly low: Bound | undefined; readonly high: Bound | undefined }
  | { readonly op: 'startsWith'; readonly text: string }
  | { readonly op: 'contains'; readonly text: string }
  | { readonly op: 'hasAll'; readonly values: ReadonlySet<unknown>; readonly hasNull: boolean }
  | { readonly op: 'hasAny'; readonly values: ReadonlySet<unknown>; readonly hasNull: boolean }

/** A longer key is its hash: the keys of nested groups have those of their parts in them. */
const MAX_KEY_CHARS = 200

/** A filter in its normal form, in which only conditions are negated. */
export type Node = Condition | Group

/** A condition on one field, or its negation. */
export class Condition {
  readonly kind = 'condition'
  readonly field: FilterField
  readonly operation: Operation
  readonly isNegated: boolean
  readonly #text: () => string

  constructor(field: FilterField, operation: Operation, isNegated = false, text?: () => string) {
    this.field = field
    this.operation = operation
    this.isNegated = isNegated
    this.#text = text ?? once(() => textOf(field, operation))
  }

  /** Equal for equal conditions, and of bounded length; as is that of a group. */
  get key(): string {
    return this.isNegated ? `!${this.#text()}` : this.#text()
  }

  get negated(): Condition {
    return new Condition(this.field, this.operation, !this.isNegated, this.#text)
  }
}

/** A conjunction or disjunction. All of none is true, any of none is false. */
export class Group {
  readonly kind: 'all' | 'any'
  readonly of: readonly Node[]
  readonly #key = once(() => `${this.kind}(${this.of.map(({ key }) => key).join(',')})`)

  constructor(kind: 'all' | 'any', of: readonly Node[]) {
    this.kind = kind
    this.of = of
  }

  get key(): string {
    return this.#key()
  }

  get negated(): Group {
    return new Group(this.kind === 'all' ? 'any' : 'all', sorted(this.of.map((node) => node.negated)))
  }
}

export const TRUE = new Group('all', [])
export const FALSE = new Group('any', [])

export function isTrue(node: Node): boolean {
  return node.kind === 'all' && node.of.length === 0
}

export function isFalse(node: Node): boolean {
  return node.kind === 'any' && node.of.length === 0
}

export function sorted(nodes: readonly Node[]): readonly Node[] {
  return nodes.toSorted((a, b) => (a.key < b.key ? -1 : 1))
}

function textOf({ path }: FilterField, operation: Operation): string {
  return `${JSON.stringify(path)} ${operation.op} ${argumentsOf(operation)}`
}

function argumentsOf(operation: Operation): string {
  switch (operation.op) {
    case 'in':
    case 'hasAll':
    case 'hasAny': {
      const values = Array.from(operation.values, constantKey).sort()
      return `[${(operation.hasNull ? ['null', ...values] : values).join(',')}]`
    }
    case 'range': {
      const { low, high } = operation
      const from = low ? `${low.isOpen ? '(' : '['}${constantKey(low.value)}` : '('
      return `${from},${high ? `${constantKey(high.value)}${high.isOpen ? ')' : ']'}` : ')'}`
    }
    default:
      return JSON.stringify(operation.text)
  }
}

/** Enums may have any values, which only their identity tells apart. They are constants of the schema. */
const identities = new WeakMap<object, number>()
const symbols = new Map<symbol, number>()
let lastIdentity = 0

/** Text that is equal only for equal canonical constants, whatever their types. */
export function constantKey(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'bigint':
      return `${value}n`
    case 'symbol':
      return identityIn(symbols, value)
    case 'object':
    case 'function':
      if (value === null) return 'null'
      return identityIn(identities, value as object)
    default:
      return String(value)
  }
}

function identityIn<T>(known: { get(key: T): number | undefined; set(key: T, identity: number): unknown }, value: T) {
  const identity = known.get(value) ?? ++lastIdentity
  known.set(value, identity)
  return `#${identity}`
}

/** The key that a text makes, when it is first asked for. */
function once(text: () => string): () => string {
  let known: string | undefined
  return () => {
    known ??= shortened(text())
    return known
  }
}

function shortened(text: string): string {
  return text.length <= MAX_KEY_CHARS ? text : hash('sha256', text, 'base64url')
}
