import { expect, test } from 'vitest'
import { SluiceError } from '../../src/errors/codes.ts'
import { cursorScalar, dateTimeScalar, decimalScalar } from '../../src/schema/scalars.ts'

const refused = expect.objectContaining({ code: 'BAD_USER_INPUT' })

test.each([
  ['2026-11-27T10:15:30Z', '2026-11-27T10:15:30.000Z'],
  ['2026-11-27T10:15:30.123Z', '2026-11-27T10:15:30.123Z'],
  ['2026-11-27T10:15:30.123456Z', '2026-11-27T10:15:30.123Z'],
  ['2026-11-27t10:15:30z', '2026-11-27T10:15:30.000Z'],
  ['2026-11-27T11:15:30+01:00', '2026-11-27T10:15:30.000Z'],
  ['2024-02-29T00:00:00-00:00', '2024-02-29T00:00:00.000Z'],
])('the DateTime %s is %s', (written, meant) => {
  expect(dateTimeScalar.parseValue(written).toISOString()).toBe(meant)
})

test.each([
  '',
  'now',
  '2026-11-27',
  '2026-11-27T10:15Z',
  '2026-11-27T10:15:30',
  '2026-11-27 10:15:30Z',
  '27/11/2026',
  '2026-13-01T00:00:00Z',
  '2026-02-30T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-11-27T24:00:00Z',
  '2026-11-27T25:00:00Z',
  '2026-11-27T10:15:30+25:00',
  1_795_774_530_000,
  null,
  {},
  true,
])('%j is no DateTime', (value) => {
  expect(() => dateTimeScalar.parseValue(value)).toThrow(refused)
})

test('a DateTime goes out as a date in UTC, or as the text that it is already', () => {
  expect(dateTimeScalar.serialize(new Date(0))).toBe('1970-01-01T00:00:00.000Z')
  expect(dateTimeScalar.serialize('2026-11-27T11:15:30+01:00')).toBe('2026-11-27T11:15:30+01:00')
})

test('a Decimal keeps every digit, both ways', () => {
  for (const text of ['0', '-1', '129.90', '0.10', '12345678901234567890.123456789']) {
    expect(decimalScalar.serialize(decimalScalar.parseValue(text))).toBe(text)
  }
})

test.each(['', '.5', '5.', '1e3', '+1', '1,5', '0x10', ' 1', '1\n', 'NaN', 12.5, 1, null, {}])(
  '%j is no Decimal',
  (value) => {
    expect(() => decimalScalar.parseValue(value)).toThrow(refused)
  },
)

test('a Cursor is any text: what is wrong with it is said where it is used', () => {
  expect(cursorScalar.parseValue('AQ')).toBe('AQ')
  expect(cursorScalar.serialize('AQ')).toBe('AQ')
  for (const value of [7, null, {}]) expect(() => cursorScalar.parseValue(value)).toThrow(SluiceError)
})
