import { canonicalDecimal, withoutExponent } from '../filter/decimal.ts'

/**
 * Where a number may be that a double does not hold: of 16 characters or more, or with an exponent. A double holds any
 * decimal of 15 digits, so that other texts are spared the reviver, which takes several times as long as the parser.
 * A string that looks so costs time only. Each match begins at a separator, so that the search is linear.
 */
const MAYBE_INEXACT = /(?:^|[:,[\s])-?(?:[\d.]{16}|[\d.]+[eE])/

/** Digits that an exponent may add: more than a double has (308), and no memory for `1e999999999`. */
const MAX_EXPONENT = 400

/**
 * As `JSON.parse`, but a number that a double cannot hold is its decimal text, without an exponent.
 * @throws SyntaxError for what is no JSON. RangeError for such a number whose exponent is beyond 400.
 */
export function parseExactly(text: string): unknown {
  return MAYBE_INEXACT.test(text) ? JSON.parse(text, exact as never) : JSON.parse(text)
}

function exact(_name: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined) return value
  const exponent = Math.abs(Number(/[eE](.*)$/.exec(source)?.[1] ?? 0))
  if (exponent > MAX_EXPONENT) {
    if (isZero(source)) return value
    throw new RangeError(`A number has an exponent beyond ${MAX_EXPONENT}`)
  }
  const written = withoutExponent(source)
  const held = Number.isFinite(value) && canonicalDecimal(withoutExponent(String(value)))
  return held === canonicalDecimal(written) ? value : written
}

function isZero(source: string): boolean {
  return !/[1-9]/.test(source.replace(/[eE].*$/, ''))
}
