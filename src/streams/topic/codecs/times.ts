import { CodecFailure } from '../codec.ts'

const MS_OF_DAY = 86_400_000
/** RFC 3339 has years of four digits: 0000-01-01 up to the end of 9999, in ms since the epoch. */
const FIRST_MS = -62_167_219_200_000
const LAST_MS = 253_402_300_799_999
const SECONDS_OF_DAY = 86_400

/** Units of a second: what timestamps count. */
export type Unit = 's' | 'ms' | 'us' | 'ns'
const PER_SECOND: Readonly<Record<Unit, number>> = { s: 1, ms: 1_000, us: 1_000_000, ns: 1_000_000_000 }
const DIGITS: Readonly<Record<Unit, number>> = { s: 0, ms: 3, us: 6, ns: 9 }

/** RFC 3339 text of a time since the epoch, with the digits of its unit. @throws CodecFailure beyond the year 9999. */
export function instantText(value: number | bigint, unit: Unit): string {
  return `${localText(value, unit)}Z`
}

/** The same without a zone, for what is no instant. */
export function localText(value: number | bigint, unit: Unit): string {
  if (unit === 'ms') return isoText(Number(value)).slice(0, -1)
  const { seconds, rest } = split(value, unit)
  const whole = isoText(seconds * 1_000).slice(0, 19)
  return unit === 's' ? whole : `${whole}.${String(rest).padStart(DIGITS[unit], '0')}`
}

/** YYYY-MM-DD of days since the epoch. */
export function dateText(days: number): string {
  return isoText(days * MS_OF_DAY).slice(0, 10)
}

/** HH:MM:SS of a time since midnight, with the digits of its unit. */
export function timeOfDayText(value: number | bigint, unit: Unit): string {
  const { seconds, rest } = split(value, unit)
  if (seconds < 0 || seconds >= SECONDS_OF_DAY) throw new CodecFailure('A time of day is not within one day')
  const whole = new Date(seconds * 1_000).toISOString().slice(11, 19)
  return unit === 's' ? whole : `${whole}.${String(rest).padStart(DIGITS[unit], '0')}`
}

function split(value: number | bigint, unit: Unit): { readonly seconds: number; readonly rest: number } {
  const per = PER_SECOND[unit]
  if (typeof value === 'number') {
    const seconds = Math.floor(value / per)
    return { seconds, rest: value - seconds * per }
  }
  const rest = ((value % BigInt(per)) + BigInt(per)) % BigInt(per)
  return { seconds: Number((value - rest) / BigInt(per)), rest: Number(rest) }
}

function isoText(ms: number): string {
  if (!(ms >= FIRST_MS && ms <= LAST_MS)) throw new CodecFailure('A time is not within the years 0 to 9999')
  return new Date(ms).toISOString()
}
