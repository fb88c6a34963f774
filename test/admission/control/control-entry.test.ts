import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CONTROL_KINDS,
  type ControlEntry,
  controlKey,
  controlValue,
  MAX_REASON_CHARS,
  MAX_VALUE_CHARS,
  readControlRecord,
} from '../../../src/admission/control/control-entry.ts'
import { Statistics } from '../../kit/statistics.ts'

const AT = Date.parse('2026-11-27T10:15:30.123Z')
const anEntry: ControlEntry = { kind: 'principal', value: 'acme', at: AT, until: undefined, reason: undefined }

/** Times that have a year of four digits. */
const time = fc.integer({ min: 0, max: Date.parse('9999-12-31T00:00:00Z') })
const entries: fc.Arbitrary<ControlEntry> = fc.record({
  kind: fc.constantFrom(...CONTROL_KINDS),
  value: fc
    .string({
      minLength: 1,
      maxLength: MAX_VALUE_CHARS,
      unit: fc.oneof(fc.string({ minLength: 1, maxLength: 1 }), fc.constantFrom(':', '"', 'ü', '\n')),
    })
    .filter((text) => text.length <= MAX_VALUE_CHARS && text !== ''),
  at: time,
  until: fc.option(time, { nil: undefined }),
  reason: fc.option(fc.string({ maxLength: MAX_REASON_CHARS }), { nil: undefined }),
})

test('an entry is the same after its record was written and read', () => {
  fc.assert(
    fc.property(entries, (entry) => {
      const key = controlKey(entry)
      expect(readControlRecord(key, controlValue(entry))).toEqual({ key, entry })
      expect(readControlRecord(key, null)).toEqual({ key, entry: undefined })
    }),
    { numRuns: 500 },
  )
})

test('a property that is not known is skipped, so that instances of two versions understand each other', () => {
  const value = JSON.stringify({ ...JSON.parse(controlValue(anEntry)), severity: 'high' })
  expect(readControlRecord('principal:acme', value).entry).toEqual(anEntry)
})

describe('no decision is', () => {
  const value = controlValue(anEntry)
  const differing = (differences: object): string => JSON.stringify({ ...JSON.parse(value), ...differences })
  test.each<[string, string | null, string | null]>([
    ['a record without a key', null, value],
    ['a key of no kind', 'acme', value],
    ['a key of another kind', 'role:acme', value],
    ['a key without a value', 'principal:', value],
    ['a key of another entry', 'principal:other', value],
    ['a key of another kind of entry', 'key:acme', value],
    ['a tombstone of no key', 'role:acme', null],
    ['a tombstone of a key that is too long', `principal:${'x'.repeat(MAX_VALUE_CHARS + 1)}`, null],
    ['text that is not JSON', 'principal:acme', '{'],
    ['a list', 'principal:acme', '[]'],
    ['null', 'principal:acme', 'null'],
    ['an entry without a time', 'principal:acme', differing({ at: undefined })],
    ['a time that is none', 'principal:acme', differing({ at: 'yesterday' })],
    ['a time as a number', 'principal:acme', differing({ until: AT })],
    ['a value that is a list', 'principal:acme', differing({ value: ['acme'] })],
    ['a reason that is too long', 'principal:acme', differing({ reason: 'x'.repeat(MAX_REASON_CHARS + 1) })],
  ])('%s', (_what, key, text) => {
    expect(() => readControlRecord(key, text)).toThrow(Error)
  })
})

test('whatever a record holds, it is a valid decision or refused with an Error', () => {
  const statistics = new Statistics('Records', ['refused', 'decisions', 'tombstones'])
  const keys = fc.oneof(
    fc.string(),
    fc.tuple(fc.constantFrom(...CONTROL_KINDS), fc.string()).map(([kind, value]) => `${kind}:${value}`),
    fc.constant(null),
  )
  const values = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constant(null),
    fc.object().map((object) => JSON.stringify(object)),
  )
  /** An entry's record, of which one character is another. */
  const damaged = fc.tuple(entries, fc.nat(), fc.string({ minLength: 1, maxLength: 1 })).map(([entry, at, char]) => {
    const value = controlValue(entry)
    const index = at % value.length
    return [controlKey(entry), value.slice(0, index) + char + value.slice(index + 1)] as const
  })
  fc.assert(
    fc.property(fc.oneof(fc.tuple(keys, values), damaged), ([key, value]) => {
      let read: ReturnType<typeof readControlRecord>
      try {
        read = readControlRecord(key, value)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
        statistics.count('refused')
        return
      }
      statistics.count(read.entry ? 'decisions' : 'tombstones')
      expect(read.key).toBe(key)
      if (read.entry) expect(controlKey(read.entry)).toBe(key)
    }),
    { numRuns: 20_000 },
  )
  statistics.report()
})
