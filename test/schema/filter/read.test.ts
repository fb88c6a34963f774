import { coerceInputLiteral, type GraphQLInputType, parseValue } from 'graphql'
import { expect, test } from 'vitest'
import { SluiceError } from '../../../src/errors/codes.ts'
import { readFilter } from '../../../src/schema/filter/read.ts'
import type { StreamDefinition } from '../../../src/schema/stream-definition.ts'
import { streamFieldOf } from '../../../src/schema/stream-field.ts'
import type { Filter, FilterField } from '../../../src/streams/filter/filter.ts'
import { type Item, shopSchema } from './shop.ts'

type Field = NonNullable<ReturnType<NonNullable<ReturnType<typeof shopSchema>['getSubscriptionType']>>>

function itemField(resolve?: (item: Item) => Item) {
  const field = (shopSchema(resolve && { resolve }).getSubscriptionType() as Field).getFields().item
  if (!field) throw new Error('The schema has no such field')
  const { filter } = streamFieldOf(field) as StreamDefinition
  const argument = field.args.find(({ name }) => name === 'where')
  if (!filter || !argument) throw new Error('The field takes no filter')
  return { filter, type: argument.type }
}

const { filter, type } = itemField()

function coerced(literal: string, of: GraphQLInputType = type): object {
  const value = coerceInputLiteral(parseValue(literal), of)
  if (value === undefined) throw new Error('The literal does not fit the type')
  return value as object
}

function read(literal: string): Filter {
  return readFilter(coerced(literal), filter.shape, filter.step)
}

/** The filter with paths in the place of its fields. */
function shown(literal: string): unknown {
  return JSON.parse(JSON.stringify(read(literal), (name, value) => (name === 'field' ? value.path : value)))
}

function fieldsIn(filter: Filter): FilterField[] {
  if ('field' in filter) return [filter.field]
  return Array.isArray(filter.of) ? filter.of.flatMap(fieldsIn) : fieldsIn(filter.of as Filter)
}

test.each<[string, unknown]>([
  ['{}', { kind: 'all', of: [] }],
  ['{ n: {} }', { kind: 'all', of: [] }],
  ['{ n: { eq: 1 } }', { kind: 'in', field: 'n', values: [1] }],
  ['{ n: { ne: 1 } }', { kind: 'not', of: { kind: 'in', field: 'n', values: [1] } }],
  ['{ n: { in: [] } }', { kind: 'in', field: 'n', values: [] }],
  ['{ n: { notIn: [1, 2] } }', { kind: 'not', of: { kind: 'in', field: 'n', values: [1, 2] } }],
  ['{ color: { in: [RED] } }', { kind: 'in', field: 'color', values: ['red'] }],
  ['{ n: { gt: 1, lte: 5 } }', { kind: 'range', field: 'n', range: { gt: 1, lte: 5 } }],
  [
    '{ n: { gte: 1, ne: 3, lt: 9 } }',
    {
      kind: 'all',
      of: [
        { kind: 'not', of: { kind: 'in', field: 'n', values: [3] } },
        { kind: 'range', field: 'n', range: { gte: 1, lt: 9 } },
      ],
    },
  ],
  ['{ note: { eq: null } }', { kind: 'null', field: 'note' }],
  ['{ note: { ne: null } }', { kind: 'not', of: { kind: 'null', field: 'note' } }],
  ['{ note: { isNull: true } }', { kind: 'null', field: 'note' }],
  ['{ note: { isNull: false } }', { kind: 'not', of: { kind: 'null', field: 'note' } }],
  ['{ note: { startsWith: "a" } }', { kind: 'startsWith', field: 'note', text: 'a' }],
  ['{ version: { contains: "a" } }', { kind: 'contains', field: 'version', text: 'a' }],
  ['{ tags: { has: "a" } }', { kind: 'hasAll', field: 'tags', values: ['a'] }],
  ['{ tags: { hasAny: ["a", "b"] } }', { kind: 'hasAny', field: 'tags', values: ['a', 'b'] }],
  ['{ shades: { hasAll: [GREEN] } }', { kind: 'hasAll', field: 'shades', values: ['green'] }],
  ['{ sizes: { isNull: true } }', { kind: 'null', field: 'sizes' }],
  ['{ and: [] }', { kind: 'all', of: [] }],
  ['{ or: [] }', { kind: 'any', of: [] }],
  ['{ or: { n: { eq: 1 } } }', { kind: 'any', of: [{ kind: 'in', field: 'n', values: [1] }] }],
  ['{ not: { n: { eq: 1 } } }', { kind: 'not', of: { kind: 'in', field: 'n', values: [1] } }],
  ['{ price: { amount: { gt: "1.0" } } }', { kind: 'range', field: 'price.amount', range: { gt: '1.0' } }],
  ['{ maker: { town: { isNull: true } } }', { kind: 'null', field: 'maker.town' }],
  [
    '{ maker: { not: { town: { name: { eq: "Y" } } } } }',
    { kind: 'not', of: { kind: 'in', field: 'maker.town.name', values: ['Y'] } },
  ],
  [
    '{ category: { parent: { parent: { name: { eq: "x" } } } } }',
    { kind: 'in', field: 'category.parent.parent.name', values: ['x'] },
  ],
  ['{ id: { in: [1, "b"] } }', { kind: 'in', field: 'id', values: ['1', 'b'] }],
])('%s is read', (literal, filter) => {
  expect(shown(literal)).toEqual(filter)
})

test('a time is an instant, and a decimal stays text', () => {
  const [time] = fieldsIn(read('{ madeAt: { gte: "2026-11-27T10:00:00+02:00" } }'))
  expect(time?.kind).toBe('instant')
  expect(read('{ madeAt: { eq: "2026-11-27T10:00:00+02:00" } }')).toMatchObject({
    values: [new Date('2026-11-27T08:00:00Z')],
  })
  expect(read('{ price: { amount: { eq: "0.10" } } }')).toMatchObject({ values: ['0.10'], field: { kind: 'decimal' } })
})

const ITEM = {
  price: '9.90',
  color: 'red',
  n: 3,
  maker: { name: 'ACME', town: null },
  category: { name: 'a', parent: { name: 'b', parent: null } },
  tags: ['x'],
}

test.each<[string, readonly string[] | undefined, unknown]>([
  ['{ n: { eq: 1 } }', ['n'], 3],
  ['{ price: { amount: { eq: "1" } } }', ['price'], '9.90'],
  ['{ maker: { name: { eq: "" } } }', ['maker', 'name'], 'ACME'],
  ['{ maker: { town: { name: { eq: "" } } } }', ['maker', 'town', 'name'], undefined],
  ['{ category: { parent: { name: { eq: "" } } } }', ['category', 'parent', 'name'], 'b'],
  ['{ category: { parent: { parent: { isNull: true } } } }', ['category', 'parent', 'parent'], null],
  ['{ tags: { has: "x" } }', ['tags'], ['x']],
  ['{ label: { eq: "" } }', undefined, 'red 3'],
])('the field of %s is read from the event by its properties, where there are some', (literal, properties, value) => {
  const [field] = fieldsIn(read(literal))
  expect(field?.properties).toEqual(properties)
  expect(field?.read(ITEM)).toEqual(value)
})

test("what a field's own resolve does is a part of the way", () => {
  const inner = itemField(({ category }) => category as never)
  const [byPath] = fieldsIn(readFilter(coerced('{ n: { eq: 1 } }'), inner.filter.shape, inner.filter.step))
  expect(byPath?.properties).toEqual(['category', 'n'])
  const made = itemField((item) => ({ ...item, n: item.n + 1 }))
  const [computed] = fieldsIn(readFilter(coerced('{ n: { eq: 1 } }'), made.filter.shape, made.filter.step))
  expect(computed?.properties).toBeUndefined()
  expect(computed?.read({ n: 1 })).toBe(2)
  expect(computed?.read(null)).toBeUndefined()
})

test.each([
  ['{ and: null }', 'where.and'],
  ['{ or: null }', 'where.or'],
  ['{ not: null }', 'where.not'],
  ['{ n: null }', 'where.n'],
  ['{ n: { gt: null } }', 'where.n.gt'],
  ['{ n: { in: null } }', 'where.n.in'],
  ['{ note: { isNull: null } }', 'where.note.isNull'],
  ['{ note: { contains: null } }', 'where.note.contains'],
  ['{ tags: { has: null } }', 'where.tags.has'],
  ['{ price: { amount: { gte: null } } }', 'where.price.amount.gte'],
  ['{ maker: { town: null } }', 'where.maker.town'],
  ['{ maker: { town: { isNull: null } } }', 'where.maker.town.isNull'],
  ['{ and: [{}, { or: [{ not: { n: { lt: null } } }] }] }', 'where.and[1].or[0].not.n.lt'],
])('null where it means nothing is refused with its path: %s', (literal, path) => {
  expect(() => read(literal)).toThrow(new SluiceError('BAD_USER_INPUT', `"${path}" takes no null`))
})

test('undefined is absent, for executors that are handed values by hand', () => {
  const value = { n: { eq: undefined, gt: 1 }, note: undefined, and: undefined }
  expect(readFilter(value, filter.shape, filter.step)).toMatchObject({ kind: 'range', range: { gt: 1 } })
})

test.each(['and', 'or', 'not'])('ten thousand levels of %s are refused, and overflow no stack', (name) => {
  let value: object = { n: { eq: 1 } }
  for (let level = 0; level < 10_000; level++) value = { [name]: name === 'not' ? value : [value] }
  expect(() => readFilter(value, filter.shape, filter.step)).toThrow(/nested more than 100 levels deep/)
})
