import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalInstant, compareInstants, InstantRange, instantMs } from '../../../src/streams/filter/instant.ts'
import { Statistics } from '../../kit/statistics.ts'

/** What a text of four-digit years holds, with any offset. */
const ms = fc.integer({ min: Date.UTC(0, 0, 2) - 1_900 * 31_556_952_000, max: Date.UTC(9999, 11, 30) })
const beyond = fc.oneof(fc.constant(''), fc.string({ unit: fc.constantFrom(...'0159'), maxLength: 12 }))
const offsets = fc.oneof(
  fc.constantFrom('Z', 'z', '+00:00', '-00:00'),
  fc
    .tuple(fc.constantFrom('+', '-'), fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    .map(([sign, hours, minutes]) => `${sign}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`),
)

/** The same moment as people of some place write it. */
function written(at: number, digits: string, offset: string): string {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(offset) ?? ['', '+', '0', '0']
  const shift = (sign === '-' ? -1 : 1) * (60 * Number(hours) + Number(minutes)) * 60_000
  return new Date(at + shift).toISOString().replace('Z', `${digits}${offset}`)
}

/** Moments with what is beyond milliseconds, as a fraction of one. */
const moments = fc.record({ at: ms, digits: beyond, offset: offsets })
const pairs = fc.oneof(
  fc.tuple(moments, moments),
  fc.tuple(moments, fc.constantFrom('', '0', '5'), offsets).map(([moment, end, offset]): [Moment, Moment] => {
    return [moment, { ...moment, digits: `${moment.digits}${end}`, offset }]
  }),
)
type Moment = { readonly at: number; readonly digits: string; readonly offset: string }

test('times are in the order of their moments, wherever they were written', () => {
  const statistics = new Statistics('pairs of times', ['less', 'equal', 'greater', 'beyond milliseconds', 'a Date'])
  fc.assert(
    fc.property(pairs, ([a, b]) => {
      const [one, other] = [a, b].map(({ at, digits, offset }) => {
        if (digits === '') statistics.count('a Date')
        return digits === '' ? new Date(at) : written(at, digits, offset)
      })
      const order = a.at - b.at || Math.sign(Number(`0.${a.digits}0`) - Number(`0.${b.digits}0`))
      expect(Math.sign(compareInstants(one, other) as number)).toBe(Math.sign(order))
      expect(canonicalInstant(one) === canonicalInstant(other)).toBe(order === 0)
      expect(instantMs(one)).toBe(a.at)
      statistics.count(order < 0 ? 'less' : order > 0 ? 'greater' : 'equal')
      if (order !== 0 && a.at === b.at) statistics.count('beyond milliseconds')
      const bound = (value: unknown, isOpen: boolean) => ({ value: canonicalInstant(value) as number, isOpen })
      expect(new InstantRange(bound(other, false), undefined).has(one)).toBe(order >= 0)
      expect(new InstantRange(bound(other, true), undefined).has(one)).toBe(order > 0)
      expect(new InstantRange(undefined, bound(other, false)).has(one)).toBe(order <= 0)
      expect(new InstantRange(undefined, bound(other, true)).has(one)).toBe(order < 0)
    }),
    { numRuns: 8_000 },
  )
  statistics.report()
})

test('every day that there is, and no other, is a day', () => {
  for (const year of ['0000', '1900', '1970', '2000', '2024', '2026', '9999']) {
    for (let month = 1; month <= 12; month++) {
      for (let day = 0; day <= 32; day++) {
        const date = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
        const parsed = new Date(`${date}T00:00:00Z`)
        const isDay = !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(date)
        expect(instantMs(`${date}T00:00:00Z`)).toBe(isDay ? parsed.getTime() : Number.NaN)
      }
    }
  }
})

test('what is no time has no order', () => {
  const wrong = [
    '',
    '2026-11-27',
    '2026-11-27T10:00:00',
    '2026-11-27 10:00:00Z',
    '2026-11-27T24:00:00Z',
    '2026-11-27T10:60:00Z',
    '2026-11-27T10:00:60Z',
    '2026-11-27T10:00:00.Z',
    '2026-11-27T10:00:00,5Z',
    '2026-11-27T10:00:00+24:00',
    '2026-11-27T10:00:00+0100',
    '2026-11-27T10:00:00Z ',
    '+002026-11-27T10:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-1１-27T10:00:00Z',
    new Date(Number.NaN),
    1_795_773_600_000,
    null,
    undefined,
    {},
  ]
  for (const value of wrong) {
    expect(compareInstants(value, new Date(0))).toBeUndefined()
    expect(canonicalInstant(value)).toBeUndefined()
    expect(instantMs(value)).toBeNaN()
    expect(new InstantRange(undefined, undefined).has(value)).toBe(false)
  }
})

test('seconds may be absent, and a Date may be of any year', () => {
  expect(compareInstants('2026-11-27T10:15Z', '2026-11-27T11:15:00.000+01:00')).toBe(0)
  expect(compareInstants(new Date(8.64e15), '9999-12-31T23:59:59.9Z')).toBeGreaterThan(0)
  expect(compareInstants(new Date(-8.64e15), '0000-01-01T00:00:00Z')).toBeLessThan(0)
})
