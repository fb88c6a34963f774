import { SluiceError } from '../errors/codes.ts'
import { comparedAs } from './filter/comparison.ts'

/** Scalars are strings on the wire; their types in resolvers are given beside each. */
// A type, not an interface: Pothos wants an index signature.
export type Scalars = {
  /** Opaque: see streams/cursor/cursor.ts. */
  Cursor: { Input: string; Output: string }
  /** A `Date` from clients (a `FineDate`, if a `Date` cannot say it); a `Date`, or text that is RFC 3339 already, to them. */
  DateTime: { Input: Date; Output: Date | string }
  /** A decimal number as text: no amount is rounded. */
  Decimal: { Input: string; Output: string }
  ID: { Input: string; Output: string }
  /** Text on the wire, which every client reads exactly; a number is taken as well. */
  Long: { Input: string; Output: string | number | bigint }
  JSON: { Input: unknown; Output: unknown }
}

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/
const DECIMAL = /^-?\d+(\.\d+)?$/

/** Digits of a second that a `Date` does not hold. */
const FINE = /\.\d{3}\d*[1-9]/

/** A time with digits beyond milliseconds, as a client has written it: events may have such times. */
export class FineDate extends Date {
  readonly written: string

  constructor(written: string) {
    super(written)
    this.written = written
  }
}

function text(value: unknown, scalar: string): string {
  if (typeof value !== 'string') throw new SluiceError('BAD_USER_INPUT', `${scalar} is written as a string`)
  return value
}

export const cursorScalar = {
  description: 'A position in a topic. Opaque: keep it, and send it back as it is.',
  serialize: (value: string) => value,
  parseValue: (value: unknown) => text(value, 'Cursor'),
}

export const dateTimeScalar = {
  extensions: comparedAs('instant'),
  description: 'A moment, by RFC 3339, such as 2026-11-27T10:15:30.123Z.',
  serialize: (value: Date | string) => (typeof value === 'string' ? value : value.toISOString()),
  parseValue: (value: unknown) => {
    const written = text(value, 'DateTime')
    const [matched, year, month, day] = RFC_3339.exec(written) ?? []
    const date = new Date(written)
    // `new Date` parses the 30th of February as the 2nd of March.
    const isDay = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day)
    if (!matched || !isDay || Number.isNaN(date.getTime())) {
      throw new SluiceError('BAD_USER_INPUT', 'DateTime is written by RFC 3339, such as 2026-11-27T10:15:30Z')
    }
    return FINE.test(written) ? new FineDate(written) : date
  },
}

export const decimalScalar = {
  extensions: comparedAs('decimal'),
  description: 'A decimal number, as a string, such as "129.90".',
  serialize: (value: string) => value,
  parseValue: (value: unknown) => {
    const written = text(value, 'Decimal')
    if (!DECIMAL.test(written)) throw new SluiceError('BAD_USER_INPUT', 'Decimal is written like "129.90"')
    return written
  },
}

const LONG = /^-?\d{1,19}$/

export const longScalar = {
  extensions: comparedAs('decimal'),
  description: 'A whole number of 64 bits, as a string, such as "9007199254740993".',
  serialize: (value: string | number | bigint) => String(value),
  parseValue: (value: unknown) => {
    const written = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : text(value, 'Long')
    if (!LONG.test(written)) throw new SluiceError('BAD_USER_INPUT', 'Long is written like "9007199254740993"')
    return written
  },
}

export const jsonScalar = {
  description: 'Any JSON value.',
  serialize: (value: unknown) => value,
  parseValue: (value: unknown) => value,
}
