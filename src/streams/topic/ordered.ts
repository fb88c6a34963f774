import type { EventRecord, StreamEvent } from '../event.ts'
import { compareDecimals, decimalText } from '../filter/decimal.ts'
import { compareInstants, instantMs } from '../filter/instant.ts'

/**
 * How values are ordered:
 * - `number`: numbers and bigints;
 * - `decimal`: decimal numbers of any length, as text; numbers and bigints are compared by their decimal text;
 * - `instant`: a `Date`, or text as RFC 3339 has it, the seconds of which may be absent.
 */
export type OrderKind = 'number' | 'decimal' | 'instant'

/** An ordered value of a topic's events. */
export interface Ordered {
  readonly kind: OrderKind
  /** Its place in the order, by `approximately`. NaN: it has no order, no range meets it. */
  readonly read: (event: StreamEvent) => number
  /** The value itself. */
  readonly value: (event: StreamEvent) => unknown
  /** The property at the top level of an event's value that it is; undefined for a function. */
  readonly property: string | undefined
}

/** How the ordered values of a topic are read, by name. */
export type OrderedReaders = ReadonlyMap<string, Ordered>

/** What a function of `ordered` may return. */
export type OrderedValue = string | number | bigint | Date | null | undefined

/** An ordered value that is computed, or whose kind the schema does not say. */
export interface OrderOptions<V> {
  readonly kind: OrderKind
  /** Pure, as an index function. The property of that name, if absent. */
  readonly read?: (value: V, record: EventRecord) => OrderedValue
}

/** Functions and kinds by name. */
export interface OrdersByName<V> {
  readonly [name: string]: OrderOptions<V>
}

/** What a topic is ordered by: properties at the top level, whose kinds the schema says; or kinds and functions by name. */
export type Order<V> = readonly (string & keyof V)[] | OrdersByName<V>

/** The ordered values by name, of the order `O`; of none, if `O` is any order. */
export type OrderedTypes<V, O> =
  Order<V> extends O
    ? unknown
    : O extends readonly (infer K extends keyof V)[]
      ? Pick<V, K>
      : {
          readonly [P in keyof O]: O[P] extends { readonly read: (...args: never) => infer R }
            ? R
            : P extends keyof V
              ? V[P]
              : never
        }

/** Decimal numbers, as the scalar `Decimal` has them. */
const DECIMAL = /^-?\d+(\.\d+)?$/

/**
 * The place of a value in the order of its kind, as a double. Of two values the greater one has the greater place, or
 * the same: what differs by less than a double can tell, or than a millisecond, has one place. NaN for what has no
 * order.
 */
export function approximately(kind: OrderKind, value: unknown): number {
  switch (kind) {
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN
    case 'decimal': {
      const text = decimalText(value)
      return text !== undefined && DECIMAL.test(text) ? Number(text) : Number.NaN
    }
    case 'instant':
      return instantMs(value)
  }
}

/** The order of two values that have one place. Negative, zero or positive; undefined if one has no order. */
export function exactly(kind: OrderKind, a: unknown, b: unknown): number | undefined {
  if (kind === 'instant') return compareInstants(a, b)
  if (kind === 'decimal') {
    const [one, other] = [decimalText(a), decimalText(b)]
    return one === undefined || other === undefined ? undefined : compareDecimals(one, other)
  }
  const [one, other] = [a as number, b as number]
  return one < other ? -1 : one > other ? 1 : 0
}
