/**
 * A decimal number as text: an optional sign, digits, and a fraction with at least one digit. There is no exponent, as
 * in the API's scalar. Numbers are compared digit by digit: of any length, exactly, without a conversion.
 */
interface Scanned {
  text: string
  isNegative: boolean
  /** Place of the first digit that is not a leading zero; `point` if the integer part is zero. */
  first: number
  /** End of the integer part. */
  point: number
  /** End of the fraction without its trailing zeros; at most one more than `point`, if there is none. */
  end: number
}

/** Scanned decimals of a comparison: values of events are not given an object each. */
const left = blank()
const right = blank()

/** Negative, zero or positive; undefined if one of them is no decimal number. */
export function compareDecimals(a: string, b: string): number | undefined {
  return scan(a, left) && scan(b, right) ? compare(left, right) : undefined
}

/** The one spelling of equal numbers: "1.50", "01.5" are "1.5", and "-0.0" is "0". Undefined: no decimal number. */
export function canonicalDecimal(text: string): string | undefined {
  if (!scan(text, left)) return undefined
  const { isNegative, first, point, end } = left
  const integer = first < point ? text.slice(first, point) : '0'
  const fraction = end > point + 1 ? text.slice(point, end) : ''
  return `${isNegative ? '-' : ''}${integer}${fraction}`
}

/** A bound of a range. */
export interface DecimalBound {
  readonly value: string
  /** The bound itself is outside of the range. */
  readonly isOpen: boolean
}

/** A range of decimal numbers, whose bounds are scanned once. A bound that is undefined is none. */
export class DecimalRange {
  readonly #low: Scanned | undefined
  readonly #high: Scanned | undefined
  readonly #isLowOpen: boolean
  readonly #isHighOpen: boolean

  /** @throws TypeError for a bound that is no decimal number. */
  constructor(low: DecimalBound | undefined, high: DecimalBound | undefined) {
    this.#low = low && scanned(low.value)
    this.#high = high && scanned(high.value)
    this.#isLowOpen = low?.isOpen === true
    this.#isHighOpen = high?.isOpen === true
  }

  /** False for what is no decimal number. */
  has(value: unknown): boolean {
    const text = typeof value === 'string' ? value : decimalText(value)
    if (text === undefined || !scan(text, left)) return false
    if (this.#low) {
      const order = compare(left, this.#low)
      if (order < 0 || (order === 0 && this.#isLowOpen)) return false
    }
    if (this.#high) {
      const order = compare(left, this.#high)
      if (order > 0 || (order === 0 && this.#isHighOpen)) return false
    }
    return true
  }
}

function scanned(text: string): Scanned {
  const bound = blank()
  if (!scan(text, bound)) throw new TypeError('A bound of a range of decimals is a decimal number')
  return bound
}

function blank(): Scanned {
  return { text: '', isNegative: false, first: 0, point: 0, end: 0 }
}

/**
 * The decimal text of a value of an event: text as it is, numbers as JSON writes them but without an exponent, bigints.
 * Undefined for what is no finite number and no text.
 */
export function decimalText(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value
    case 'bigint':
      return String(value)
    case 'number':
      return Number.isFinite(value) ? withoutExponent(String(value)) : undefined
    default:
      return undefined
  }
}

/** JSON's number, with an exponent or without: the same digits, with the point where it belongs. */
export function withoutExponent(written: string): string {
  const [, sign = '', integer = '', fraction = '', exponent] = NUMBER.exec(written) ?? []
  if (exponent === undefined) return written
  const digits = integer + fraction
  const point = integer.length + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return sign + digits.padEnd(point, '0')
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

const [MINUS, POINT, ZERO, NINE] = [0x2d, 0x2e, 0x30, 0x39]

/** False if it is no decimal number. */
function scan(text: string, into: Scanned): boolean {
  const { length } = text
  const isNegative = text.charCodeAt(0) === MINUS
  const start = isNegative ? 1 : 0
  let at = start
  while (at < length && text.charCodeAt(at) === ZERO) at++
  const first = at
  while (at < length && isDigit(text.charCodeAt(at))) at++
  const point = at
  if (point === start) return false
  let end = point
  if (at < length) {
    if (text.charCodeAt(at) !== POINT || at + 1 === length) return false
    for (at++; at < length; at++) {
      const code = text.charCodeAt(at)
      if (!isDigit(code)) return false
      if (code !== ZERO) end = at + 1
    }
  }
  into.text = text
  into.isNegative = isNegative && (first < point || end > point)
  into.first = first
  into.point = point
  into.end = end
  return true
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE
}

function compare(a: Scanned, b: Scanned): number {
  if (a.isNegative !== b.isNegative) return a.isNegative ? -1 : 1
  return a.isNegative ? compareSizes(b, a) : compareSizes(a, b)
}

function compareSizes(a: Scanned, b: Scanned): number {
  const digits = a.point - a.first
  const longer = digits - (b.point - b.first)
  if (longer !== 0) return longer
  for (let i = 0; i < digits; i++) {
    const difference = a.text.charCodeAt(a.first + i) - b.text.charCodeAt(b.first + i)
    if (difference !== 0) return difference
  }
  const [inA, inB] = [a.end - a.point, b.end - b.point]
  for (let i = 1; i < inA && i < inB; i++) {
    const difference = a.text.charCodeAt(a.point + i) - b.text.charCodeAt(b.point + i)
    if (difference !== 0) return difference
  }
  // Equal as far as both go: what is left of one is not zero, since trailing zeros are not counted.
  return inA - inB
}
