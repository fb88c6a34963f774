import type { FieldKind, Filter } from '../../../src/streams/filter/filter.ts'

/**
 * What filters mean, as plainly as it can be said, and by other means than the product's: decimals and times are
 * fractions of bigints. A filter is walked for each event.
 */
export function interpret(filter: Filter, event: unknown): boolean {
  switch (filter.kind) {
    case 'all':
      return filter.of.every((one) => interpret(one, event))
    case 'any':
      return filter.of.some((one) => interpret(one, event))
    case 'not':
      return !interpret(filter.of, event)
    default: {
      const value = filter.field.read(event) ?? null
      return meets(filter, filter.field.kind, value)
    }
  }
}

type Test = Exclude<Filter, { readonly kind: 'all' | 'any' | 'not' }>

function meets(test: Test, kind: FieldKind, value: unknown): boolean {
  const isEqual = (one: unknown, other: unknown) => areEqual(kind, one, other)
  switch (test.kind) {
    case 'null':
      return value === null
    case 'in':
      return test.values.some((wanted) => (test.field.isList && value !== null ? false : isEqual(value, wanted)))
    case 'range': {
      const { gt, gte, lt, lte } = test.range
      const holds = (bound: unknown, isRight: (order: number) => boolean) => {
        const order = bound === undefined ? 0 : orderOf(kind, value, bound)
        return bound === undefined || (order !== undefined && isRight(order))
      }
      return (
        holds(gt, (order) => order > 0) &&
        holds(gte, (order) => order >= 0) &&
        holds(lt, (order) => order < 0) &&
        holds(lte, (order) => order <= 0)
      )
    }
    case 'startsWith':
      return typeof value === 'string' && value.slice(0, test.text.length) === test.text
    case 'contains':
      return typeof value === 'string' && value.split(test.text).length > (test.text === '' ? -1 : 1)
    case 'hasAll':
      return Array.isArray(value) && test.values.every((wanted) => value.some((item) => isEqual(item ?? null, wanted)))
    case 'hasAny':
      return Array.isArray(value) && test.values.some((wanted) => value.some((item) => isEqual(item ?? null, wanted)))
  }
}

function areEqual(kind: FieldKind, value: unknown, wanted: unknown): boolean {
  if (value === null || wanted === null) return value === wanted
  switch (kind) {
    case 'id':
      return isId(value) && isId(wanted) && `${value}` === `${wanted}`
    case 'number':
    case 'decimal':
    case 'instant':
      return orderOf(kind, value, wanted) === 0
    case 'object':
      return false
    case 'text':
      return typeof value === 'string' && value === wanted
    case 'boolean':
      return typeof value === 'boolean' && value === wanted
    case 'enum':
      return value === wanted
  }
}

function isId(value: unknown): value is string | number | bigint {
  return ['string', 'number', 'bigint'].includes(typeof value)
}

/** A fraction: its numerator, and the number of decimal places. */
type Fraction = readonly [numerator: bigint, places: number]

/** Undefined: they cannot be compared. */
function orderOf(kind: FieldKind, value: unknown, bound: unknown): number | undefined {
  if (kind === 'number') {
    const [one, other] = [value, bound]
    if ((typeof one !== 'number' && typeof one !== 'bigint') || Number.isNaN(one)) return undefined
    if ((typeof other !== 'number' && typeof other !== 'bigint') || Number.isNaN(other)) return undefined
    return one > other ? 1 : one < other ? -1 : 0
  }
  const fraction = kind === 'decimal' ? fractionOfDecimal : fractionOfTime
  const [one, other] = [fraction(value), fraction(bound)]
  if (!one || !other) return undefined
  const places = Math.max(one[1], other[1])
  const difference = one[0] * 10n ** BigInt(places - one[1]) - other[0] * 10n ** BigInt(places - other[1])
  return difference > 0n ? 1 : difference < 0n ? -1 : 0
}

function fractionOfDecimal(value: unknown): Fraction | undefined {
  const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value
  const [matched, sign, integer, , decimals = ''] =
    typeof text === 'string' ? (/^(-?)(\d+)(\.(\d+))?$/.exec(text) ?? []) : []
  return matched === undefined ? undefined : [BigInt(`${sign}${integer}${decimals}`), decimals.length]
}

/** In seconds since the epoch. */
function fractionOfTime(value: unknown): Fraction | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : [BigInt(value.getTime()), 3]
  const [matched, seconds, , digits = '', zone] =
    typeof value === 'string' ? (/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(value) ?? []) : []
  const ms = Date.parse(`${seconds}${zone}`)
  // `Date` takes the 30th of February for the 2nd of March.
  const isDay = seconds !== undefined && new Date(Date.parse(`${seconds}Z`)).toISOString().startsWith(seconds)
  if (matched === undefined || !isDay) return undefined
  return [BigInt(ms / 1000) * 10n ** BigInt(digits.length) + BigInt(digits || '0'), digits.length]
}
