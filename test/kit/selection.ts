import type { OrderKind } from '../../src/streams/topic/ordered.ts'

/**
 * The plain meaning of a selection, without an index and without doubles: what is looked up is held against it. A
 * decimal is an integer with a fixed number of fraction digits, and a time is one too.
 */
export function isSelected(
  selection: object | readonly object[],
  value: object,
  kinds: Readonly<Record<string, OrderKind>> = {},
): boolean {
  const wheres: readonly object[] = Array.isArray(selection) ? selection : [selection]
  return wheres.some((where) =>
    Object.entries(where).every(([name, condition]) => {
      return isMet(condition, (value as Record<string, unknown>)[name], kinds[name])
    }),
  )
}

/** Whether one condition holds. A value of a kind has an order. */
export function isMet(condition: unknown, value: unknown, kind: OrderKind | undefined): boolean {
  if (condition === undefined) return true
  if (typeof condition !== 'object' || condition === null || condition instanceof Date || kind === undefined)
    return listOf(condition).includes(value)
  if ('in' in condition) return listOf(condition).includes(value)
  return Object.entries(condition).every(([operator, bound]) => {
    if (bound === undefined) return true
    const [a, b] = [placeOf(kind, value), placeOf(kind, bound)]
    if (a === undefined || b === undefined) return false
    if (operator === 'gt') return a > b
    if (operator === 'gte') return a >= b
    return operator === 'lt' ? a < b : a <= b
  })
}

function listOf(condition: unknown): readonly unknown[] {
  const isList = typeof condition === 'object' && condition !== null && 'in' in condition
  return isList ? (condition.in as readonly unknown[]) : [condition]
}

/** Digits of a fraction that are told apart: more than a test has. */
const DIGITS = 40

/** Numbers without an exponent. */
const plain = new Intl.NumberFormat('en', { useGrouping: false, maximumFractionDigits: DIGITS })

function placeOf(kind: OrderKind, value: unknown): number | bigint | undefined {
  if (kind === 'number')
    return typeof value === 'bigint' || (typeof value === 'number' && !Number.isNaN(value)) ? value : undefined
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? undefined : BigInt(value.getTime()) * 10n ** BigInt(DIGITS - 3)
  if (kind === 'decimal' && (typeof value === 'number' || typeof value === 'bigint'))
    return placeOfDecimal(plain.format(value))
  if (typeof value !== 'string') return undefined
  return kind === 'decimal' ? placeOfDecimal(value) : placeOfInstant(value)
}

function placeOfDecimal(text: string): bigint | undefined {
  const [, sign, integer, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? []
  if (integer === undefined) return undefined
  const size = BigInt(integer + fraction.padEnd(DIGITS, '0'))
  return sign === '-' ? -size : size
}

function placeOfInstant(text: string): bigint | undefined {
  const [, day, clock, seconds = ':00', fraction = '', zone] =
    /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d)?(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? []
  if (day === undefined || !isOfMonth(day)) return undefined
  const ms = Date.parse(`${day}T${clock}${seconds}${zone}`)
  return BigInt(ms / 1000) * 10n ** BigInt(DIGITS) + BigInt(fraction.padEnd(DIGITS, '0'))
}

/** `Date.parse` takes the 30th of February for the 2nd of March. */
function isOfMonth(day: string): boolean {
  const [year, month, date] = day.split('-').map(Number) as [number, number, number]
  return date <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}
