import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalDecimal, compareDecimals, DecimalRange, decimalText } from '../../../src/streams/filter/decimal.ts'
import { Statistics } from '../../kit/statistics.ts'

const digits = (maxLength: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength })
const decimals = fc
  .record({
    sign: fc.constantFrom('', '-'),
    integer: fc.oneof(digits(2), digits(40), fc.constant('0')),
    fraction: fc.oneof(fc.constant(''), digits(2), digits(40)),
  })
  .map(({ sign, integer, fraction }) => `${sign}${integer}${fraction && `.${fraction}`}`)

/** Two decimals that are often equal, or differ at their ends only. */
const pairs = fc.oneof(
  fc.tuple(decimals, decimals),
  fc.tuple(decimals, fc.constantFrom('', '0', '00', '1')).map(([text, end]): [string, string] => {
    return [text, text.includes('.') ? text + end : `0${text}`.replace('0-', '-0')]
  }),
)

/** The number of units of the last of `places` decimal places. */
function scaled(text: string, places: number): bigint {
  const [integer = '', fraction = ''] = text.split('.')
  return BigInt(integer + fraction.padEnd(places, '0'))
}

test('decimals are in the order of their numbers, however they are written', () => {
  const statistics = new Statistics('pairs of decimals', ['less', 'equal', 'greater', 'equal, written otherwise'])
  fc.assert(
    fc.property(pairs, ([a, b]) => {
      const places = Math.max(a.length, b.length)
      const order = scaled(a, places) - scaled(b, places)
      expect(Math.sign(compareDecimals(a, b) as number)).toBe(Number(order > 0n) - Number(order < 0n))
      expect(canonicalDecimal(a) === canonicalDecimal(b)).toBe(order === 0n)
      expect(compareDecimals(a, canonicalDecimal(a) as string)).toBe(0)
      statistics.count(order < 0n ? 'less' : order > 0n ? 'greater' : 'equal')
      if (order === 0n && a !== b) statistics.count('equal, written otherwise')
    }),
    { numRuns: 8_000 },
  )
  statistics.report()
})

test('a range has the decimals between its bounds', () => {
  const bounds = fc.option(fc.record({ value: decimals, isOpen: fc.boolean() }), { nil: undefined })
  fc.assert(
    fc.property(bounds, bounds, decimals, (low, high, text) => {
      const above = low ? (compareDecimals(text, low.value) as number) : 1
      const below = high ? (compareDecimals(text, high.value) as number) : -1
      const isWithin = (low?.isOpen ? above > 0 : above >= 0) && (high?.isOpen ? below < 0 : below <= 0)
      expect(new DecimalRange(low, high).has(text)).toBe(isWithin)
    }),
    { numRuns: 3_000 },
  )
})

test('what is no decimal has no order', () => {
  for (const text of ['', '-', '.', '1.', '.5', '+1', '1e3', '0x1', ' 1', '1 ', '1,5', '1.2.3', '--1', 'NaN', '١']) {
    expect(compareDecimals(text, '1')).toBeUndefined()
    expect(compareDecimals('1', text)).toBeUndefined()
    expect(canonicalDecimal(text)).toBeUndefined()
    expect(new DecimalRange(undefined, undefined).has(text)).toBe(false)
    expect(() => new DecimalRange({ value: text, isOpen: false }, undefined)).toThrow(TypeError)
  }
})

test('decimals of a million digits are compared to the last', () => {
  const nines = '9'.repeat(1_000_000)
  expect(compareDecimals(`${nines}.1`, `${nines}.10`)).toBe(0)
  expect(compareDecimals(`0.${nines}8`, `0.${nines}9`)).toBeLessThan(0)
  expect(compareDecimals(`-${nines}`, `-${nines}9`)).toBeGreaterThan(0)
  expect(canonicalDecimal(`-${'0'.repeat(1_000_000)}.${'0'.repeat(1_000_000)}`)).toBe('0')
})

test.each([
  [0.1, '0.1'],
  [1e21, '1000000000000000000000'],
  [-1.25e22, '-12500000000000000000000'],
  [1.5e-7, '0.00000015'],
  [12345678901234567890n, '12345678901234567890'],
  ['1.50', '1.50'],
  [Number.NaN, undefined],
  [Number.POSITIVE_INFINITY, undefined],
  [true, undefined],
  [null, undefined],
])('the decimal text of %s is %s', (value, text) => {
  expect(decimalText(value)).toBe(text)
})

test('numbers and bigints of events are in a range of decimals as their text is', () => {
  const range = new DecimalRange({ value: '0.1', isOpen: false }, { value: '9007199254740992', isOpen: false })
  expect([0.1, 1, 9007199254740992n].map((value) => range.has(value))).toEqual([true, true, true])
  expect([0.09999, 1e21, 9007199254740993n, Number.NaN, null].map((value) => range.has(value))).toEqual(
    Array(5).fill(false),
  )
})
