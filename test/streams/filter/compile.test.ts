import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { compile } from '../../../src/streams/filter/compile.ts'
import { emit } from '../../../src/streams/filter/emit.ts'
import type { Filter, FilterField } from '../../../src/streams/filter/filter.ts'
import { normalize } from '../../../src/streams/filter/normalize.ts'
import { planOf } from '../../../src/streams/filter/plan.ts'
import { FIELDS, sales } from './shop.ts'

const { city, country, region } = FIELDS
const testOf = (filter: Filter) => compile(normalize(filter))

/** A field that counts how often it is read. */
function counted(path: string, read: (value: unknown) => unknown): FilterField & { readonly reads: number } {
  const field = {
    path,
    kind: 'text' as const,
    isList: false,
    properties: undefined,
    reads: 0,
    read(value: unknown) {
      field.reads++
      return read(value)
    },
  }
  return field
}

test('generated code has no text of a filter, and names of properties as texts', () => {
  const text = '"); process.exit(1); ("'
  const field = (properties: string[]): FilterField => ({ ...city, path: properties.join('.'), properties })
  const { code, constants } = emit(
    normalize({
      kind: 'any',
      of: [
        { kind: 'contains', field: field(['a"] ; throw 1; ["']), text },
        { kind: 'in', field: field(['b', '\u2028`']), values: [text, `${text} 2`] },
        { kind: 'range', field: { ...FIELDS.amount, path: 'amount' }, range: { gt: '777.25' } },
        { kind: 'range', field: FIELDS.weight, range: { gt: 777.25 } },
      ],
    }),
  )
  expect(code).not.toMatch(/process|777/)
  expect(code).toContain(JSON.stringify('a"] ; throw 1; ["'))
  expect(constants).toContain(text)
  expect(constants).toContain(777.25)
})

test('properties of any name are read, and of a prototype only those that a resolver would read', () => {
  const field = (...properties: string[]): FilterField => ({ ...city, path: properties.join('.'), properties })
  const isA = (...properties: string[]) => testOf({ kind: 'in', field: field(...properties), values: ['a'] })
  expect(isA('__proto__')(JSON.parse('{"__proto__": "a"}'))).toBe(true)
  expect(isA('__proto__')({})).toBe(false)
  expect(isA('constructor')({ constructor: 'a' })).toBe(true)
  expect(isA('constructor')({})).toBe(false)
  expect(isA('a-b', 'c d')({ 'a-b': { 'c d': 'a' } })).toBe(true)
  expect(isA('constructor', 'name')({})).toBe(false)
  expect(isA('length')('abc')).toBe(false)
  expect(isA()('a')).toBe(true)
})

test('a value of which there is nothing on the way is null', () => {
  const field: FilterField = { ...city, path: 'a.b.c', properties: ['a', 'b', 'c'] }
  const isNull = testOf({ kind: 'null', field })
  for (const value of [null, undefined, {}, { a: null }, { a: {} }, { a: { b: null } }, { a: { b: {} } }, 5, 'a'])
    expect(isNull(value)).toBe(true)
  expect(isNull({ a: { b: { c: 0 } } })).toBe(false)
})

test('a computed field is read at most once an event, and only if the test depends on it', () => {
  const field = counted('label', (value) => (value as { label: string }).label)
  const isA: Filter = { kind: 'startsWith', field, text: 'a' }
  const isB: Filter = { kind: 'contains', field, text: 'b' }
  const isEurope: Filter = { kind: 'in', field: region, values: ['EUROPE'] }
  const both = testOf({ kind: 'all', of: [isEurope, isA, isB] })
  expect([both({ region: 'EUROPE', label: 'ab' }), field.reads]).toEqual([true, 1])
  expect([both({ region: 'ASIA', label: 'ab' }), field.reads]).toEqual([false, 1])
  const inside = testOf({
    kind: 'any',
    of: [
      { kind: 'all', of: [isEurope, isA] },
      { kind: 'not', of: isB },
    ],
  })
  expect([inside({ region: 'EUROPE', label: 'b' }), field.reads]).toEqual([false, 2])
  expect([inside({ region: 'EUROPE', label: 'a' }), field.reads]).toEqual([true, 3])
  const later = testOf({
    kind: 'all',
    of: [isEurope, { kind: 'any', of: [isA, isB] }, { kind: 'not', of: { kind: 'null', field } }],
  })
  expect([later({ region: 'EUROPE', label: 'xb' }), field.reads]).toEqual([true, 4])
})

test('what a resolver throws is thrown', () => {
  const field = counted('label', () => {
    throw new RangeError('of a resolver')
  })
  const passes = testOf({
    kind: 'any',
    of: [
      { kind: 'null', field },
      { kind: 'startsWith', field, text: 'a' },
    ],
  })
  expect(() => passes({})).toThrow(RangeError)
  const getter = {
    get city() {
      throw new RangeError('of a property')
    },
  }
  expect(() => testOf({ kind: 'null', field: city })(getter)).toThrow(RangeError)
})

test('filters that differ in constants only are one function of several closures', () => {
  const filter = (text: string): Filter => ({
    kind: 'all',
    of: [
      { kind: 'contains', field: city, text },
      { kind: 'in', field: country, values: [text] },
    ],
  })
  const [one, other] = [testOf(filter('a')), testOf(filter('b'))]
  expect(one).not.toBe(other)
  expect(one.toString()).toBe(other.toString())
  expect([one({ city: 'a', country: 'a' }), other({ city: 'a', country: 'a' })]).toEqual([true, false])
})

test('a test is made when it is asked for, once', () => {
  const plan = planOf({ kind: 'contains', field: city, text: 'a' }, sales)
  expect(plan.test).toBe(plan.test)
  expect({ ...plan }.test).toBe(plan.test)
})

test('where code cannot be generated, filters are tested all the same', () => {
  const path = (name: string) => JSON.stringify(fileURLToPath(new URL(name, import.meta.url)))
  const text = `
    const { planOf } = await import(${path('../../../src/streams/filter/plan.ts')})
    const { FIELDS, sales } = await import(${path('./shop.ts')})
    const { city, nested } = FIELDS
    const of = [{ kind: 'contains', field: city, text: 'a' }, { kind: 'range', field: nested, range: { gt: '1' } }]
    const passes = planOf({ kind: 'all', of }, sales).test
    const total = { amount: '1.5' }
    console.log(passes({ city: 'ab', total }), passes({ city: 'b', total }), passes({ city: 'a', total: null }))`
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '-e', text]
  expect(execFileSync(process.execPath, flags, { encoding: 'utf8' })).toBe('true false false\n')
})
