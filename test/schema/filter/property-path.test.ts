import { expect, test } from 'vitest'
import { propertyPath } from '../../../src/schema/filter/property-path.ts'
import { followedBy, isStep, stepOf, stepOfField } from '../../../src/schema/filter/step.ts'

interface Source {
  readonly a: { readonly b: string } | null
  readonly b: string
  readonly list: readonly string[]
}

const property = (name: keyof Source) => (source: Source) => source[name]
const methods = {
  resolve(source: Source) {
    return source.b
  },
}
let calls = 0

test.each<[(source: Source) => unknown, readonly string[]]>([
  [(source) => source, []],
  [(source) => source.b, ['b']],
  [({ b }) => b, ['b']],
  [({ b: renamed }) => renamed, ['b']],
  [({ a }) => a?.b, ['a', 'b']],
  [property('a'), ['a']],
  [({ list }) => list[0], ['list', '0']],
  [methods.resolve, ['b']],
  [
    function named(source) {
      return source.list
    },
    ['list'],
  ],
])('a function that returns a property of what it is given is a path: %s', (read, path) => {
  expect(propertyPath(read)).toEqual(path)
})

test.each<[(source: Source) => unknown]>([
  [({ b }) => `${b}`],
  [({ b }) => b.length > 3],
  [({ b }) => b.toUpperCase()],
  [({ a, b }) => a?.b ?? b],
  [({ a, b }) => (a ? b : null)],
  [({ a, b }) => a && b],
  [({ b }) => b === 'x'],
  [({ b = 'x' }) => b],
  [({ list: [first] }) => first],
  [() => 'x'],
  [() => calls],
  [
    (source) => {
      if (source.a) return source.b
      return source.list
    },
  ],
  [() => ++calls],
])('a function that computes its value is none, and is not called: %s', (read) => {
  expect(propertyPath(read)).toBeUndefined()
  expect(calls).toBe(0)
})

test('a step reads what its properties lead to, and nothing of null', () => {
  const outer = stepOfField('a', property('a') as never)
  const inner = stepOfField('b', undefined)
  const computed = stepOfField('b', ((source: Source) => `${source.b}!`) as never)
  if (!isStep(outer) || !isStep(inner) || !isStep(computed)) throw new Error('It is no step')
  const path = followedBy(outer, inner)
  expect(path.properties).toEqual(['a', 'b'])
  expect([{ a: { b: 'x' } }, { a: null }, {}, null, undefined].map(path.read)).toEqual([
    'x',
    ...Array(4).fill(undefined),
  ])
  const value = followedBy(outer, computed)
  expect(value.properties).toBeUndefined()
  expect([{ a: { b: 'x' } }, { a: null }, null].map(value.read)).toEqual(['x!', undefined, undefined])
})

test('a step that returns a promise throws: it would match everything', () => {
  const step = stepOfField('later', () => Promise.reject(new Error('Nobody hears this')))
  if (!isStep(step)) throw new Error('It is no step')
  expect(() => step.read({})).toThrow('A resolver of "later" must answer at once, and returned a promise')
})

test('a function that is asynchronous, or may read more than its source, is no step', () => {
  const reasonOf = (read: (...parameters: never[]) => unknown) => {
    const step = stepOf(read as never, 'resolver')
    return isStep(step) ? undefined : step.reason
  }
  expect(reasonOf(async () => 1)).toBe('its resolver is asynchronous')
  expect(reasonOf((_source, { first }: { first: number }) => first)).toMatch('reads, or may read, more')
  expect(reasonOf((...all) => all.length)).toMatch('reads, or may read, more')
  expect(reasonOf(property('a').bind(null))).toMatch('reads, or may read, more')
  expect(reasonOf(({ b }: Source) => b)).toBeUndefined()
})
