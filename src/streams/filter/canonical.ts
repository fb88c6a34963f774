import { canonicalDecimal, compareDecimals, decimalText } from './decimal.ts'
import type { FieldKind } from './filter.ts'
import { type CanonicalInstant, canonicalInstant, compareCanonicalInstants } from './instant.ts'

/**
 * The canonical form of a value: what `Set` and `===` find equal, exactly where the field's kind says that values are
 * equal. Undefined: a value of no such kind, which equals nothing (null too: whether it is asked for is kept apart).
 */
export function canonicalOf(kind: FieldKind, value: unknown): unknown {
  switch (kind) {
    case 'text':
      return typeof value === 'string' ? value : undefined
    case 'id':
      return typeof value === 'number' || typeof value === 'bigint' ? String(value) : canonicalOf('text', value)
    case 'number':
      return typeof value === 'bigint' ? fromBigint(value) : fromNumber(value)
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'enum':
      return value === null || Number.isNaN(value) ? undefined : value
    case 'decimal':
      return fromDecimal(decimalText(value))
    case 'instant':
      return canonicalInstant(value)
    case 'object':
      return undefined
  }
}

/** A bigint is equal to the number of the same value, if there is one. */
function fromBigint(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isFinite(number) && BigInt(number) === value ? number : value
}

function fromDecimal(text: string | undefined): string | undefined {
  return text === undefined ? undefined : canonicalDecimal(text)
}

/** -0 equals 0. */
function fromNumber(value: unknown): number | undefined {
  return typeof value === 'number' && !Number.isNaN(value) ? value + 0 : undefined
}

/** Negative, zero or positive, for canonical values of a kind that has an order. */
export function compareCanonical(kind: FieldKind, a: unknown, b: unknown): number {
  switch (kind) {
    case 'number': {
      const [one, other] = [a as number, b as number]
      return one < other ? -1 : one > other ? 1 : 0
    }
    case 'decimal':
      return compareDecimals(a as string, b as string) as number
    case 'instant':
      return compareCanonicalInstants(a as CanonicalInstant, b as CanonicalInstant)
    default:
      throw new TypeError(`Values of the kind "${kind}" have no order`)
  }
}

/** Whether ranges can be asked for. */
export function hasOrder(kind: FieldKind): boolean {
  return kind === 'number' || kind === 'decimal' || kind === 'instant'
}
