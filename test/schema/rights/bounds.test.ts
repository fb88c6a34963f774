import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Bounds } from '../../../src/schema/context.ts'
import { ALL, selectBy } from '../../../src/schema/filter/select.ts'
import type { StreamEvent } from '../../../src/streams/event.ts'
import { Conditions } from '../../../src/streams/feed/conditions.ts'
import type { Filter, FilterField } from '../../../src/streams/filter/filter.ts'
import { defineTopic, type Topic } from '../../../src/streams/topic/topic.ts'
import type { Selection } from '../../../src/streams/topic/where.ts'

const Sale = z.object({ seller: z.string(), shop: z.int(), total: z.int(), kind: z.string() })
const sales = defineTopic('sales', { schema: Sale, index: ['seller', 'shop', 'kind'], ordered: ['shop', 'total'] })
const byFunction = defineTopic('named', {
  schema: Sale,
  index: { seller: ({ seller }) => seller.toUpperCase(), kind: ({ kind }) => kind },
})
const rates = defineTopic('rates', { schema: z.object({ code: z.string() }), index: ['code'], unbound: ['seller'] })

interface Given {
  readonly bounds: Bounds
  readonly topic?: Topic
  readonly where?: object | readonly object[]
  readonly filter?: Filter
  readonly args?: Record<string, unknown>
}

function select({ bounds, topic = sales as Topic, where = {}, filter = ALL, args }: Given) {
  const audience = { claims: { bounds } }
  return selectBy({ topic, audience, where: where as Selection<unknown>, filter, ...(args && { args }) })
}

function takes(given: Given, value: Partial<z.output<typeof Sale>>, indexed?: readonly unknown[]): boolean {
  const { selection, test } = select(given)
  const sale = { seller: 'a', shop: 1, total: 10, kind: 'x', ...value }
  const event = { kind: 'event', topic: 'sales', value: sale, ...(indexed && { indexed }) } as unknown as StreamEvent
  return new Conditions(given.topic ?? (sales as Topic), selection).meets(event) && (!test || test(event))
}

const field = (name: string, kind: FilterField['kind'] = 'text'): FilterField => ({
  path: name,
  kind,
  isList: false,
  properties: [name],
  read: (value) => (value as Record<string, unknown>)[name],
})
const eq = (name: string, ...values: unknown[]): Filter => ({ kind: 'in', field: field(name), values })

test('a bound is looked up, beside what the definition and the filter ask for', () => {
  const filter: Filter = { kind: 'range', field: field('total', 'number'), range: { gt: 5 } }
  const { selection, test: rest } = select({ bounds: { seller: ['a', 'b'] }, where: { kind: 'x' }, filter })
  expect(selection).toEqual({ kind: 'x', seller: { in: ['a', 'b'] }, total: { gt: 5 } })
  expect(rest).toBeUndefined()
})

test('each alternative of a definition is bound', () => {
  const where = [{ kind: 'x' }, { seller: 'a' }, { kind: 'y', seller: { in: ['b'] } }]
  expect(select({ bounds: { seller: ['a', 'b'] }, where }).selection).toEqual([
    { kind: 'x', seller: { in: ['a', 'b'] } },
    { seller: { in: ['a'] } },
    { kind: 'y', seller: { in: ['b'] } },
  ])
})

test('a number is within a bound that is written so', () => {
  const given = { bounds: { shop: ['1', '2'] } }
  expect(takes(given, { shop: 1 })).toBe(true)
  expect(takes(given, { shop: 3 })).toBe(false)
  expect(takes({ ...given, where: { shop: 1 } }, { shop: 1 })).toBe(true)
})

test('a range of a bound property is within the bound', () => {
  const given = { bounds: { shop: ['2', '9'] }, where: { shop: { gte: 2, lt: 9 } } }
  expect([1, 2, 3, 9].filter((shop) => takes(given, { shop }))).toEqual([2])
})

test('an index by functions is bound by what these return', () => {
  const given = { bounds: { seller: ['A'] }, topic: byFunction as Topic }
  expect(takes(given, { seller: 'a' }, ['A', 'x'])).toBe(true)
  expect(takes(given, { seller: 'A' }, ['B', 'x'])).toBe(false)
  // What a filter names is a property, and not what the function makes of it.
  expect(takes({ ...given, filter: eq('seller', 'a') }, { seller: 'a' }, ['A', 'x'])).toBe(true)
  // A function that failed.
  expect(takes(given, { seller: 'a' }, [Symbol('no value'), 'x'])).toBe(false)
})

describe('what is outside', () => {
  const bounds = { seller: ['a', 'b'] }

  test.each<[string, Given]>([
    ['a topic that is not indexed by it', { bounds: { country: ['NL'] } }],
    ['a bound without values', { bounds: { seller: [] } }],
    ['an argument', { bounds, where: { seller: 'c' }, args: { of: 'c' } }],
    ['an argument within a list', { bounds, where: { seller: { in: ['a', 'c'] } }, args: { of: [{ x: 'c' }] } }],
    ['what is written by hand', { bounds, where: { seller: 'c' } }],
    ['a filter', { bounds, filter: eq('seller', 'c') }],
    ['one of several', { bounds, filter: { kind: 'any', of: [eq('seller', 'a', 'c'), eq('kind', 'x')] } }],
    [
      'what is excluded from what is excluded',
      { bounds, filter: { kind: 'not', of: { kind: 'not', of: eq('seller', 'c') } } },
    ],
  ])('is refused: %s', (_what, given) => {
    expect(() => select(given)).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }))
  })

  test.each<[string, Given]>([
    ['an exception', { bounds, filter: { kind: 'not', of: eq('seller', 'c') } }],
    ['null', { bounds, filter: { kind: 'any', of: [eq('seller', null), eq('kind', 'x')] } }],
    ['what the definition names by itself', { bounds, where: { seller: { in: ['a', 'c'] } }, args: { kind: 'x' } }],
    ['a topic that is free of it', { bounds, topic: rates as Topic }],
  ])('is no reason to refuse: %s', (_what, given) => {
    expect(() => select(given)).not.toThrow()
    if (!given.topic) expect([takes(given, {}), takes(given, { seller: 'c' })]).toEqual([true, false])
  })

  test('a definition of others alone selects nothing', () => {
    const given = { bounds, where: { seller: 'c' }, args: {} }
    expect(['a', 'b', 'c'].filter((seller) => takes(given, { seller }))).toEqual([])
  })
})

describe('many values', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => `s${index}`)
  const bounds = { seller: many }

  test('are refused where nothing narrower is asked for', () => {
    expect(() => select({ bounds })).toThrow(/bound to 10000 values of "seller", and one selection has 1000 at most/)
  })

  test('are narrowed to those that an argument or the filter names', () => {
    expect(select({ bounds, where: { seller: 's7' }, args: { seller: 's7' } }).selection).toEqual({
      seller: { in: ['s7'] },
    })
    const { selection } = select({ bounds, filter: { kind: 'all', of: [eq('seller', 's7', 's8'), eq('kind', 'x')] } })
    expect(selection).toMatchObject({ seller: { in: ['s7', 's8'] }, kind: 'x' })
  })

  test('are tested of what something else finds', () => {
    const given = { bounds, where: { kind: 'x' } }
    expect(select(given).selection).toEqual({ kind: 'x' })
    expect(['s9', 't'].filter((seller) => takes(given, { seller }))).toEqual(['s9'])
    const two = { bounds: { seller: many.slice(0, 900), kind: ['x', 'y'] } }
    expect(Object.keys(select(two).selection)).toEqual(['seller'])
    expect([takes(two, { seller: 's1' }), takes(two, { seller: 's1', kind: 'z' })]).toEqual([true, false])
  })

  test('are asked before a test that fails: an error would tell of an event', () => {
    const fails = () => {
      throw new Error('An event of others')
    }
    const audience = { claims: { bounds } }
    const { test: rest } = selectBy({
      topic: sales as Topic,
      audience,
      where: { kind: 'x' } as never,
      filter: ALL,
      predicate: fails,
    })
    const event = (seller: string) => ({ kind: 'event', value: { seller, kind: 'x' } }) as unknown as StreamEvent
    expect(rest?.(event('t'))).toBe(false)
    expect(() => rest?.(event('s1'))).toThrow('An event of others')
  })
})

test('a topic is not free of what it is indexed by', () => {
  expect(() => defineTopic('sales', { schema: Sale, index: ['seller'], unbound: ['seller'] })).toThrow(/cannot be free/)
})
