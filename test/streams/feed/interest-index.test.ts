import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SluiceError } from '../../../src/errors/codes.ts'
import type { StreamEvent } from '../../../src/streams/event.ts'
import { Conditions } from '../../../src/streams/feed/conditions.ts'
import { InterestIndex } from '../../../src/streams/feed/interest-index.ts'
import { compute } from '../../../src/streams/topic/computed.ts'
import { type Index, indexing } from '../../../src/streams/topic/indexed.ts'
import type { Lookups } from '../../../src/streams/topic/topic.ts'
import type { Where } from '../../../src/streams/topic/where.ts'
import { Statistics } from '../../kit/statistics.ts'
import { bestMs } from '../../kit/yardstick.ts'

interface Value {
  readonly a: string | null
  readonly b: number
  readonly c: boolean
}

const ABC = ['a', 'b', 'c'] as const

function lookupsOf<V>(index: Index<V>): Lookups {
  return { indexed: indexing('values', index).indexed, ordered: new Map() }
}

function indexOf<V, T>(...properties: (string & keyof V)[]): InterestIndex<V, T> {
  return new InterestIndex(lookupsOf(properties))
}

function eventOf<V>(value: V, index?: Index<V>): StreamEvent<V> {
  const event = { kind: 'event', topic: 'values', partition: 0, offset: 0, timestamp: 0, key: null, headers: {}, value }
  const indexed = index && compute(indexing('values', index).functions, event as StreamEvent<V>, () => {})
  return { ...(event as StreamEvent<V>), ...(indexed && { indexed }) }
}

function meetsAll<V extends object>(where: Where<V>, value: V): boolean {
  return new Conditions(lookupsOf<V>(Object.keys(value) as (string & keyof V)[]), where).meets(eventOf(value))
}

const a = fc.constantFrom('x', 'y', 'z', null)
const b = fc.constantFrom(0, 1, -0, Number.NaN)
const c = fc.boolean()
const values = fc.record({ a, b, c })

function wanted<T>(item: fc.Arbitrary<T>): fc.Arbitrary<T | { in: T[] } | undefined> {
  return fc.oneof(item, fc.record({ in: fc.array(item, { maxLength: 4 }) }), fc.constant(undefined))
}
const wheres = fc.record({ a: wanted(a), b: wanted(b), c: wanted(c) }, { requiredKeys: [] }) as fc.Arbitrary<
  Where<Value>
>
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('add' as const), where: wheres }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat() }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('match' as const), value: values }) },
  ),
  { minLength: 1, maxLength: 60 },
)

test('the index finds what a scan of all interests finds, while they come and go', () => {
  const statistics = new Statistics('interest index', [
    'match of none',
    'match of several',
    'empty list',
    'duplicates in a list',
    'no condition',
    'three conditions',
    'removed twice',
    'emptied',
  ])
  fc.assert(
    fc.property(steps, (sequence) => {
      const index = indexOf<Value, number>(...ABC)
      const present = new Map<number, { where: Where<Value>; remove: () => void }>()
      let next = 0
      for (const step of sequence) {
        if (step.kind === 'add') {
          const { where } = step
          present.set(next, { where, remove: index.add(where, next) })
          next++
          const conditions = Object.values(where).filter((condition) => condition !== undefined)
          const lists = conditions.flatMap((one) =>
            typeof one === 'object' && one !== null && 'in' in one ? [one.in] : [],
          )
          if (conditions.length === 0) statistics.count('no condition')
          if (conditions.length === 3) statistics.count('three conditions')
          if (lists.some((list) => list.length === 0)) statistics.count('empty list')
          if (lists.some((list) => new Set<unknown>(list).size < list.length)) statistics.count('duplicates in a list')
        } else if (step.kind === 'remove' && present.size > 0) {
          const [name, { remove }] = [...present][step.which % present.size] as [number, { remove: () => void }]
          remove()
          present.delete(name)
          if (step.which % 2) {
            remove()
            statistics.count('removed twice')
          }
        } else if (step.kind === 'match') {
          const found: number[] = []
          index.match(eventOf(step.value), (name) => found.push(name))
          const scanned = [...present].filter(([, { where }]) => meetsAll(where, step.value)).map(([name]) => name)
          expect(found.toSorted((one, other) => one - other)).toEqual(scanned)
          if (found.length === 0) statistics.count('match of none')
          if (found.length > 1) statistics.count('match of several')
        }
        expect(index.size).toBe(present.size)
      }
      for (const { remove } of present.values()) remove()
      expect(index.size).toBe(0)
      expect(index.branches).toBe(0)
      statistics.count('emptied')
    }),
    { numRuns: 2000 },
  )
  statistics.report()
})

test('an interest with an empty list takes nothing away from those that come after it', () => {
  const index = indexOf<Value, string>(...ABC)
  const removeNothing = index.add({ a: { in: [] } }, 'nothing')
  const removeNeither = index.add({ a: { in: [] } }, 'neither')
  removeNothing()
  index.add({ a: 'x' }, 'x')
  removeNeither()
  const found: string[] = []
  index.match(eventOf({ a: 'x', b: 0, c: true }), (name) => found.push(name))
  expect(found).toEqual(['x'])
})

test('a value meets a where when it meets each of its conditions', () => {
  const value: Value = { a: 'x', b: 1, c: true }
  expect(meetsAll({}, value)).toBe(true)
  expect(meetsAll({ a: 'x', b: { in: [2, 1] } }, value)).toBe(true)
  expect(meetsAll({ a: 'x', b: { in: [] } }, value)).toBe(false)
  expect(meetsAll({ a: null }, value)).toBe(false)
  expect(meetsAll({ a: null }, { ...value, a: null })).toBe(true)
})

test('more than a thousand combinations are refused, and leave nothing behind', () => {
  const index = indexOf<{ a: number; b: number }, string>('a', 'b')
  const upTo = (count: number) => ({ in: Array.from({ length: count }, (_, n) => n) })
  expect(() => index.add({ a: upTo(40), b: upTo(26) }, 'much')).toThrow(SluiceError)
  expect(() => index.add({ a: upTo(1001) }, 'much')).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }))
  expect([index.size, index.branches]).toEqual([0, 0])
  index.add({ a: upTo(40), b: upTo(25) }, 'enough')
  let found = 0
  index.match(eventOf({ a: 39, b: 24 }), () => found++)
  expect(found).toBe(1)
})

test('values repeated in a list are one combination', () => {
  const index = indexOf<Value, string>(...ABC)
  const remove = index.add({ a: { in: new Array(5000).fill('x') } }, 'once')
  const found: string[] = []
  index.match(eventOf({ a: 'x', b: 0, c: true }), (name) => found.push(name))
  expect(found).toEqual(['once'])
  remove()
  expect(index.branches).toBe(0)
})

test('what an event costs does not grow with the interests it does not match', async () => {
  let found = 0
  const events = Array.from({ length: 1_000 }, (_, i) => eventOf({ a: i }))
  const matching = (interests: number) => {
    const index = indexOf<{ a: number }, number>('a')
    for (let n = 0; n < interests; n++) index.add({ a: n }, n)
    return () => {
      for (const event of events) index.match(event, () => found++)
    }
  }
  const { many, few } = await bestMs(20, { many: matching(100_000), few: matching(1_000) })
  expect(found).toBe(2 * 20 * 1_000)
  expect(many / few).toBeLessThan(20) // a scan of all would take a hundred times as long
})

test('a value that is null meets only what asks for nothing', () => {
  const index = indexOf<{ a: string } | null, string>('a' as never)
  index.add({ a: 'x' } as never, 'a')
  index.add({}, 'all')
  const found: string[] = []
  index.match(eventOf(null), (interest) => found.push(interest))
  expect(found).toEqual(['all'])
  expect(
    new Conditions(lookupsOf<{ a: string } | null>(['a'] as never), { a: 'x' } as never).meets(eventOf(null)),
  ).toBe(false)
})

test('what is not indexed cannot be asked for', () => {
  const index = indexOf<Value, string>('a')
  const refused = 'The topic is not indexed by "b"'
  expect(() => index.add({ a: 'x', b: 1 }, 'both')).toThrow(new TypeError(refused))
  expect([index.size, index.branches]).toEqual([0, 0])
  expect(() => new Conditions(lookupsOf<Value>(['a']), { b: 1 })).toThrow(new TypeError(refused))
  index.add({ a: 'x', b: undefined as never }, 'one')
  expect(index.size).toBe(1)
})

test('functions of any name are told apart', () => {
  const functions: Index<number> = { 'a,b': (n) => n, a: (n) => n + 1, b: (n) => n + 2 }
  const index = new InterestIndex<number, string>(lookupsOf(functions))
  index.add({ 'a,b': 1 } as never, 'one name')
  index.add({ a: 2, b: 3 } as never, 'two names')
  index.add({ a: 1, b: 1 } as never, 'neither')
  const found: string[] = []
  index.match(eventOf(1, functions), (name) => found.push(name))
  expect(found.toSorted()).toEqual(['one name', 'two names'])
})
