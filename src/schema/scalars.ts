import { type ConstValueNode, Kind, print } from 'graphql'
import { SluiceError } from '../errors/codes.ts'
import { decimalText } from '../streams/filter/decimal.ts'
import { comparedAs } from './filter/comparison.ts'

/** As `z.json()` has it, without null: the field is nullable where that may be. */
export type JsonValue = string | number | boolean | readonly (JsonValue | null)[] | JsonObject
interface JsonObject {
  readonly [name: string]: JsonValue | null
}

/** Scalars are strings on the wire; their types in resolvers are given beside each. */
// A type, not an interface: Pothos wants an index signature.
export type Scalars = {
  /** Opaque: see streams/cursor/cursor.ts. */
  Cursor: { Input: string; Output: string }
  /** A `Date` from clients (a `FineDate`, if a `Date` cannot say it); a `Date`, or text that is RFC 3339 already, to them. */
  DateTime: { Input: Date; Output: Date | string }
  /** A decimal number as text: no amount is rounded. */
  Decimal: { Input: string; Output: string | number | bigint }
  /** A whole number of 64 bits, signed; decimal text from clients. */
  Long: { Input: string; Output: string | number | bigint }
  /** Any value of JSON. */
  JSON: { Input: unknown; Output: unknown }
  ID: { Input: string; Output: string }
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
  serialize: (value: string | number | bigint) => {
    const decimal = decimalText(value)
    if (decimal === undefined) throw new TypeError('A value of Decimal is no number')
    return decimal
  },
  parseValue: (value: unknown) => {
    const written = text(value, 'Decimal')
    if (!DECIMAL.test(written)) throw new SluiceError('BAD_USER_INPUT', 'Decimal is written like "129.90"')
    return written
  },
}

const INTEGER = /^-?\d+$/
/** Digits of the longest value, with zeros before it: of more a bigint is not made. */
const MAX_LONG_CHARS = 40
const [MIN_LONG, MAX_LONG] = [-(2n ** 63n), 2n ** 63n - 1n]

/** The canonical text of a whole number of 64 bits; undefined for any other value, and for a number beyond 2^53. */
function longText(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value + 0) : undefined
  const isText = typeof value === 'string' && value.length <= MAX_LONG_CHARS && INTEGER.test(value)
  if (!isText && typeof value !== 'bigint') return undefined
  const long = BigInt(value)
  return long >= MIN_LONG && long <= MAX_LONG ? String(long) : undefined
}

function parseLong(value: unknown): string {
  const long = longText(value)
  if (long !== undefined) return long
  throw new SluiceError(
    'BAD_USER_INPUT',
    'Long is a whole number of 64 bits, as a string such as "9007199254740993", or as a number below 2^53',
  )
}

/** Always text to clients: most of them parse numbers to doubles, which round beyond 2^53. */
export const longScalar = {
  extensions: comparedAs('decimal'),
  description: 'A whole number of 64 bits, as a string, such as "9007199254740993". Input may be a number below 2^53.',
  serialize: (value: string | number | bigint) => {
    const long = longText(value)
    if (long === undefined) throw new TypeError('A value of Long is no whole number of 64 bits, or was rounded')
    return long
  },
  parseValue: parseLong,
  coerceInputValue: parseLong,
  /** The digits of a document are exact, whereas the default makes a double of them. */
  coerceInputLiteral: (node: ConstValueNode) =>
    parseLong(node.kind === Kind.INT || node.kind === Kind.STRING ? node.value : print(node)),
}

export const jsonScalar = {
  description: 'Any value of JSON.',
  serialize: (value: unknown) => value,
  parseValue: (value: unknown) => value,
}
