import { describe, expect, it } from 'vitest'
import { inferField } from '../../../src/cli/init/infer/infer.ts'
import type { Field, Shape } from '../../../src/streams/topic/shape.ts'

const COUNT = 60
const each = <T>(value: (index: number) => T): T[] => Array.from({ length: COUNT }, (_, index) => value(index))
const infer = (values: readonly unknown[], name = 'value'): Field => inferField(values, { name, level: 1 })
const shapeOf = (values: readonly unknown[], name?: string): Shape => infer(values, name).shape
const cycle = (...values: unknown[]) => each((index) => values[index % values.length])

describe('what is absent or null', () => {
  it('a property that is absent somewhere is optional, one that is null somewhere is nullable', () => {
    const { shape } = infer(each((index) => ({ a: 1, ...(index !== 5 && { b: 1 }), c: index > 0 ? 1 : null })))
    const fields = (shape as Shape & { kind: 'object' }).fields
    expect([...fields].map(([name, { isOptional, isNullable }]) => [name, isOptional, isNullable])).toEqual([
      ['a', false, false],
      ['b', true, false],
      ['c', false, true],
    ])
  })

  it('what was never more than null is unknown, with a doubt', () => {
    expect(infer([null, null])).toMatchObject({ shape: { kind: 'unknown' }, isNullable: true, doubt: /Null/ })
  })
})

describe('enums', () => {
  it('few repeated codes of a property whose name says so', () => {
    expect(shapeOf(cycle('paid', 'open', 'late'), 'status')).toEqual({ kind: 'enum', values: ['late', 'open', 'paid'] })
    expect(shapeOf(cycle('Paid', 'PartlyPaid'), 'orderState')).toMatchObject({ kind: 'enum' })
  })

  it('few repeated codes in capitals of any property', () => {
    expect(shapeOf(cycle('CARD', 'WIRE_TRANSFER'), 'paidWith')).toMatchObject({ kind: 'enum' })
  })

  it.each([
    ['email', ['a@example.com', 'b@example.com']],
    ['status', ['a@example.com', 'b@example.com']],
    ['customer', ['ACME', 'GLOBEX']],
    ['customerName', ['ANNA', 'BOB']],
    ['soldBy', ['ANNA', 'BOB']],
    ['status', ['anna', 'open']],
    ['category', ['Anna', 'Bob']],
    ['type', ['anna.novak', 'bob.novak']],
    ['paidWith', ['anna', 'berta']],
    ['phone', ['+4912345', '+4912346']],
    ['ref', ['A1', 'A2']],
    ['status', ['AB12345', 'AB12346']],
    ['comment', ['Late', 'Fine']],
    ['status', ['he said no', 'she said yes']],
    ['city', ['PARIS', 'ROME']],
    ['currency', ['EUR', 'USD']],
    ['country', ['NL', 'DE']],
    ['driver', ['LIGHTNING', 'STIG']],
    ['status', ['Ünal', 'Çelik']],
  ])('%s is text, since its values may be of persons, or of an open list', (name, values) => {
    expect(shapeOf(cycle(...values), name)).toEqual({ kind: 'text' })
  })

  it('what was seen once is no member', () => {
    expect(shapeOf([...cycle('OPEN', 'PAID'), 'JANEDOE'], 'status')).toEqual({ kind: 'text' })
  })

  it('few records, and one value, say nothing', () => {
    expect(shapeOf(['OPEN', 'PAID', 'OPEN', 'PAID'], 'status')).toEqual({ kind: 'text' })
    expect(shapeOf(cycle('OPEN'), 'status')).toEqual({ kind: 'text' })
  })
})

describe('numbers', () => {
  it.each([
    ['count', [1, -5, 2 ** 31 - 1], { kind: 'int' }],
    ['count', [1, 2 ** 31], { kind: 'long', as: 'number' }],
    ['count', [1, 1.5], { kind: 'float' }],
    ['total_amount', [1.25, 3], { kind: 'decimal', as: 'number' }],
    ['total', [1.123456789, 3], { kind: 'float' }],
    ['created_at', [1_700_000_000, 0], { kind: 'time', as: 's' }],
    ['created_at', [1_700_000_000.25], { kind: 'time', as: 's' }],
    ['createdAt', [1_700_000_000_000], { kind: 'time', as: 'ms' }],
    ['ts', [1_700_000_000_000_000], { kind: 'time', as: 'us' }],
    ['created_at', [1_700_000_000, 1_700_000_000_000], { kind: 'long', as: 'number' }],
    ['elapsed_time', [1_700_000_000], { kind: 'int' }],
    ['merchant', [1_700_000_000], { kind: 'int' }],
    ['date', [20_260_102], { kind: 'int' }],
    ['created_at', [0, 0], { kind: 'int' }],
  ])('%s of %j', (name, values, shape) => {
    expect(shapeOf(values, name)).toEqual(shape)
  })
})

describe('texts', () => {
  it.each([
    ['amount', ['12.50', '-3'], { kind: 'decimal', as: 'text' }],
    ['amount', ['12', '3'], { kind: 'decimal', as: 'text' }],
    ['code', ['12', '3'], { kind: 'text' }],
    ['apiVersion', ['1.10', '1.9'], { kind: 'text' }],
    ['amount', ['1e5', '3'], { kind: 'text' }],
    ['amount', ['12.50', ''], { kind: 'text' }],
    ['at', ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.123+02:00'], { kind: 'time', as: 'text' }],
    ['at', ['2026-01-02T03:04:05'], { kind: 'text' }],
    ['at', ['2026-01-02 03:04:05Z'], { kind: 'text' }],
    ['at', ['2026-02-30T03:04:05Z'], { kind: 'text' }],
    ['on', ['2026-02-28'], { kind: 'date' }],
    ['on', ['2026-02-30'], { kind: 'text' }],
  ])('%s of %j', (name, values, shape) => {
    expect(shapeOf(values, name)).toEqual(shape)
  })
})

describe('objects and lists', () => {
  it('keys that are data make a map', () => {
    const lines = each((index) => ({ [`k${index}`]: 1, [`k${index + 1}`]: 2 }))
    expect(shapeOf(lines)).toMatchObject({ kind: 'map', of: { shape: { kind: 'int' } } })
    expect(shapeOf([{ 'anna@example.com': 1 }])).toMatchObject({ kind: 'map' })
    expect(shapeOf([{ 17: 'a', 18: 'b' }])).toMatchObject({ kind: 'map' })
  })

  it('properties that are often absent make none', () => {
    expect(shapeOf(each((index) => ({ id: index, [['a', 'b', 'c'][index % 3] as string]: 1 })))).toMatchObject({
      kind: 'object',
    })
  })

  it('objects whose properties depend on a text are kinds', () => {
    const events = each((index) =>
      index % 2 ? { type: 'created', id: 1, by: 'x' } : { type: 'deleted', id: 1, reason: 'y' },
    )
    const shape = shapeOf(events) as Shape & { kind: 'union' }
    expect(shape).toMatchObject({ kind: 'union', by: 'type' })
    expect([...shape.of].map(([kind, { fields }]) => [kind, [...fields.keys()]])).toEqual([
      ['created', ['id', 'by']],
      ['deleted', ['id', 'reason']],
    ])
  })

  it('objects of one shape with a type are none', () => {
    expect(shapeOf(each((index) => ({ type: index % 2 ? 'a' : 'b', id: 1 })))).toMatchObject({ kind: 'object' })
  })

  it('a list has the shape of all of its items, over all lists', () => {
    expect(shapeOf([[], [1], [1.5, null]])).toMatchObject({
      kind: 'list',
      of: { shape: { kind: 'float' }, isNullable: true },
    })
    expect(infer([[], []])).toMatchObject({
      shape: { kind: 'list', of: { shape: { kind: 'unknown' } } },
      doubt: /Empty/,
    })
    expect(shapeOf([[1, 'a', {}]])).toMatchObject({ kind: 'list', of: { shape: { kind: 'unknown' } } })
  })

  it('an object that is empty, too deep or too wide is anything', () => {
    let deep: unknown = 1
    for (let level = 0; level < 2000; level += 1) deep = { deep }
    expect(JSON.stringify(infer([{}]))).toContain('unknown')
    expect(JSON.stringify([...(shapeOf([deep]) as Shape & { kind: 'object' }).fields.keys()])).toBe('["deep"]')
    const wide = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`p${index}x`, 1]))
    expect(shapeOf([wide])).toEqual({ kind: 'unknown' })
  })

  it('a property that would be the prototype is left out', () => {
    const shape = shapeOf([JSON.parse('{"__proto__": {"a": 1}, "constructor": 1}')]) as Shape & { kind: 'object' }
    expect([...shape.fields.keys()]).toEqual(['constructor'])
  })
})
