import type { OrderKind } from '../topic/ordered.ts'
import { compareCanonical } from './canonical.ts'
import type { FieldKind } from './filter.ts'
import type { Operation } from './node.ts'
import { type Interval, rangeOf } from './range.ts'

/**
 * The values of events that are equal to one of a list's, as the index compares them. Undefined: there are more
 * spellings of equal values than can be listed.
 */
export function listedValues(
  kind: FieldKind,
  { values, hasNull }: Operation & { readonly op: 'in' },
): ReadonlySet<unknown> | undefined {
  const listed = new Set<unknown>(hasNull ? [null, undefined] : [])
  if (values.size > 0 && (kind === 'decimal' || kind === 'instant')) return undefined
  for (const value of values) {
    listed.add(value)
    if (kind === 'id') {
      if ((value as string).length > MAX_ID_DIGITS && INTEGER.test(value as string)) return undefined
      for (const one of idsOf(value as string)) listed.add(one)
    }
    if (kind === 'number' && Number.isInteger(value)) listed.add(BigInt(value as number))
  }
  return listed
}

/** Of more digits a bigint is not made. */
const MAX_ID_DIGITS = 100
const INTEGER = /^-?\d+$/

/** Numbers and bigints that are written so. */
function* idsOf(text: string): Iterable<unknown> {
  const number = Number(text)
  if (String(number) === text) yield number
  if (INTEGER.test(text) && String(BigInt(text)) === text) yield BigInt(text)
}

/** From the least to the greatest of canonical values. */
export function spanOf(kind: OrderKind, values: ReadonlySet<unknown>): Interval {
  const [first] = values
  let [low, high] = [first, first]
  for (const value of values) {
    if (compareCanonical(kind, value, low) < 0) low = value
    if (compareCanonical(kind, value, high) > 0) high = value
  }
  return rangeOf({ value: low, isOpen: false }, { value: high, isOpen: false })
}
