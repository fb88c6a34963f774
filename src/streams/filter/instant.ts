/** A moment, read from a `Date` or from text by RFC 3339, whose seconds may be absent. */
interface Scanned {
  /** Milliseconds since the epoch, rounded down. */
  ms: number
  /** The digits of the text beyond milliseconds, without trailing zeros. */
  text: string
  from: number
  to: number
}

/** Scanned instants of a comparison: values of events are not given an object each. */
const left = blank()
const right = blank()

/**
 * Negative, zero or positive, by time: "12:00+02:00" is "10:00Z". Digits beyond milliseconds count. Undefined if one of
 * them is no instant.
 */
export function compareInstants(a: unknown, b: unknown): number | undefined {
  return scan(a, left) && scan(b, right) ? compare(left, right) : undefined
}

/** A canonical instant: milliseconds since the epoch, or text that has these and what is beyond them. */
export type CanonicalInstant = number | string

/** Equal for equal instants; undefined for what is none. */
export function canonicalInstant(value: unknown): CanonicalInstant | undefined {
  if (!scan(value, left)) return undefined
  const { ms, text, from, to } = left
  return from === to ? ms : `${ms}:${text.slice(from, to)}`
}

export function compareCanonicalInstants(a: CanonicalInstant, b: CanonicalInstant): number {
  return compare(scanned(a), scanned(b))
}

/** As people read it. */
export function instantText(canonical: CanonicalInstant): string {
  const [ms, beyond = ''] = String(canonical).split(':')
  return new Date(Number(ms)).toISOString().replace('Z', `${beyond}Z`)
}

/** Milliseconds since the epoch, rounded down; NaN for what is no instant. */
export function instantMs(value: unknown): number {
  return scan(value, left) ? left.ms : Number.NaN
}

/** A bound of a range. */
export interface InstantBound {
  readonly value: CanonicalInstant
  /** The bound itself is outside of the range. */
  readonly isOpen: boolean
}

/** A range of instants. A bound that is undefined is none. */
export class InstantRange {
  readonly #low: Scanned | undefined
  readonly #high: Scanned | undefined
  readonly #isLowOpen: boolean
  readonly #isHighOpen: boolean

  constructor(low: InstantBound | undefined, high: InstantBound | undefined) {
    this.#low = low && scanned(low.value)
    this.#high = high && scanned(high.value)
    this.#isLowOpen = low?.isOpen === true
    this.#isHighOpen = high?.isOpen === true
  }

  /** False for what is no instant. */
  has(value: unknown): boolean {
    if (!scan(value, left)) return false
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

function scanned(canonical: CanonicalInstant): Scanned {
  const [ms, beyond = ''] = String(canonical).split(':')
  return { ms: Number(ms), text: beyond, from: 0, to: beyond.length }
}

function blank(): Scanned {
  return { ms: 0, text: '', from: 0, to: 0 }
}

function compare(a: Scanned, b: Scanned): number {
  if (a.ms !== b.ms) return a.ms - b.ms
  const [inA, inB] = [a.to - a.from, b.to - b.from]
  for (let i = 0; i < inA && i < inB; i++) {
    const difference = a.text.charCodeAt(a.from + i) - b.text.charCodeAt(b.from + i)
    if (difference !== 0) return difference
  }
  return inA - inB
}

/** False if it is no instant. */
function scan(value: unknown, into: Scanned): boolean {
  if (typeof value === 'string') return scanText(value, into)
  if (!(value instanceof Date)) return false
  const ms = value.getTime()
  into.ms = ms
  into.text = ''
  into.from = 0
  into.to = 0
  return !Number.isNaN(ms)
}

const [PLUS, MINUS, POINT, ZERO, COLON] = [0x2b, 0x2d, 0x2e, 0x30, 0x3a]
const [UPPER_T, LOWER_T, UPPER_Z, LOWER_Z] = [0x54, 0x74, 0x5a, 0x7a]
const [SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS] = [1000, 60_000, 3_600_000, 86_400_000]

/** `2026-11-27T10:15`, by the places of its parts. */
function scanText(text: string, into: Scanned): boolean {
  const century = twoDigits(text, 0)
  const years = twoDigits(text, 2)
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  const hour = twoDigits(text, 11)
  const minute = twoDigits(text, 14)
  if (century < 0 || years < 0 || month < 1 || month > 12 || hour < 0 || hour > 23 || minute < 0 || minute > 59)
    return false
  const year = 100 * century + years
  if (day < 1 || day > daysIn(year, month)) return false
  const separator = text.charCodeAt(10)
  if (separator !== UPPER_T && separator !== LOWER_T) return false
  if (text.charCodeAt(4) !== MINUS || text.charCodeAt(7) !== MINUS || text.charCodeAt(13) !== COLON) return false

  let at = 16
  let ms = DAY_MS * daysSinceEpoch(year, month, day) + HOUR_MS * hour + MINUTE_MS * minute
  into.from = at
  into.to = at
  if (text.charCodeAt(at) === COLON) {
    const second = twoDigits(text, at + 1)
    if (second < 0 || second > 59) return false
    ms += SECOND_MS * second
    at += 3
    if (text.charCodeAt(at) === POINT) {
      const fraction = at + 1
      let unit = SECOND_MS / 10
      into.from = fraction + 3
      into.to = into.from
      for (at = fraction; isDigit(text.charCodeAt(at)); at++) {
        const digit = text.charCodeAt(at) - ZERO
        if (at < fraction + 3) {
          ms += digit * unit
          unit /= 10
        } else if (digit > 0) {
          into.to = at + 1
        }
      }
      if (at === fraction) return false
    }
  }
  const zone = text.charCodeAt(at)
  if (zone === PLUS || zone === MINUS) {
    const hours = twoDigits(text, at + 1)
    const minutes = twoDigits(text, at + 4)
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || text.charCodeAt(at + 3) !== COLON) return false
    ms += (zone === MINUS ? 1 : -1) * (HOUR_MS * hours + MINUTE_MS * minutes)
    at += 6
  } else if (zone === UPPER_Z || zone === LOWER_Z) at++
  else return false
  into.ms = ms
  into.text = text
  return at === text.length
}

/** A number of two digits; -1 if there is none. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at)
  const ones = text.charCodeAt(at + 1)
  return isDigit(tens) && isDigit(ones) ? 10 * (tens - ZERO) + ones - ZERO : -1
}

/** Not a digit beyond the end of the text, where there is NaN. */
function isDigit(code: number): boolean {
  return code >= ZERO && code <= ZERO + 9
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** In the Gregorian calendar, with years that begin in March, so that the day of a leap year is the last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1
  const fromMarch = Math.floor((153 * ((month + 9) % 12) + 2) / 5)
  const days = 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400)
  return days + fromMarch + day - 719_469
}
