import { type GraphQLInputObjectType, type GraphQLSchema, isInputObjectType, printType } from 'graphql'
import { expect, test } from 'vitest'
import { createBuilder } from '../../../src/schema/builder.ts'
import type { FiltersOption } from '../../../src/schema/filter/filters.ts'
import { type Item, items, shopSchema } from './shop.ts'

/** The input types that the filter of a field reaches, without their descriptions. */
function inputsOf(schema: GraphQLSchema): string {
  const inputs = Object.values(schema.getTypeMap()).filter(isInputObjectType)
  return inputs
    .map(printType)
    .join('\n')
    .replaceAll(/^ *"""[\s\S]*?"""\n/gm, '')
    .replaceAll(/\n+/g, '\n')
}

function whereOf(schema: GraphQLSchema): string | undefined {
  const field = schema.getSubscriptionType()?.getFields().item
  const where = field?.args.find(({ name }) => name === 'where')
  return where && String(where.type)
}

function inputFields(schema: GraphQLSchema, name: string): string[] {
  return Object.keys((schema.getType(name) as GraphQLInputObjectType | undefined)?.getFields() ?? {})
}

const shop = shopSchema()

test('a filter has a condition for each field that comes from the event alone, and at once', async () => {
  expect(whereOf(shop)).toBe('ItemFilter')
  await expect(inputsOf(shop)).toMatchFileSnapshot('./shop-inputs.txt')
})

test('what has arguments, reads more than its source, is asynchronous, abstract or a list of objects is left out', () => {
  const fields = inputFields(shop, 'ItemFilter')
  for (const left of ['times', 'tier', 'later', 'blob', 'makers', 'grid', 'named']) expect(fields).not.toContain(left)
  expect(fields).toEqual(expect.arrayContaining(['label', 'promised', 'and', 'or', 'not']))
})

test('every input type, operator and condition is described', () => {
  const inputs = Object.values(shop.getTypeMap()).filter(isInputObjectType)
  for (const type of inputs) {
    expect(type.description, type.name).toBeTruthy()
    if (/^(Nullable)?(Item|Category|Maker|Town|Price)Filter$/.test(type.name)) continue
    for (const field of Object.values(type.getFields())) {
      expect(field.description, `${type.name}.${field.name}`).toBeTruthy()
    }
  }
  const item = shop.getType('ItemFilter') as GraphQLInputObjectType
  expect(item.getFields().n?.description).toBe('How many there are.')
  expect(item.getFields().weight?.deprecationReason).toBe('It depends on the moon.')
})

test('a definition may leave the filter out', () => {
  expect(whereOf(shopSchema({ filters: false }))).toBeUndefined()
})

test('a definition may name the fields that may be filtered, and nested ones by their paths', () => {
  const schema = shopSchema({ filters: { only: ['id', 'price', 'maker.town'] } })
  expect(inputFields(schema, 'ItemFilter')).toEqual(['and', 'id', 'maker', 'not', 'or', 'price'])
  expect(inputFields(schema, 'ItemMakerFilter')).toEqual(['and', 'not', 'or', 'town'])
  expect(inputFields(schema, 'PriceFilter')).toEqual(['amount', 'and', 'not', 'or'])
  expect(schema.getType('StringFilter')).toBeDefined()
  expect(schema.getType('ColorFilter')).toBeUndefined()
})

test('a definition may leave fields out', () => {
  const schema = shopSchema({ filters: { omit: ['note', 'maker.name', 'price.amount'], name: 'SomeItems' } })
  expect(whereOf(schema)).toBe('SomeItems')
  const fields = inputFields(schema, 'SomeItems')
  expect(fields).toContain('id')
  expect(fields).not.toContain('note')
  expect(fields).not.toContain('price')
  expect(inputFields(schema, 'SomeItemsMakerFilter')).toEqual(['and', 'not', 'or', 'town'])
})

test.each<[FiltersOption, RegExp]>([
  [{ only: ['later'] }, /by "later", because its resolver is asynchronous/],
  [{ only: ['tier'] }, /by "tier", because its resolver reads, or may read, more than its source/],
  [{ only: ['times'] }, /by "times", because it has arguments/],
  [{ only: ['blob'] }, /by "blob", because nothing says how values of Blob compare/],
  [{ only: ['makers'] }, /by "makers", because it is a list of objects/],
  [{ only: ['grid'] }, /by "grid", because it is a list of lists/],
  [{ only: ['named'] }, /by "named", because its type, Named, is abstract/],
  [{ only: ['not'] }, /by "not", because "not" means something else in a filter/],
  [{ only: ['maker.age'] }, /Item cannot be filtered by "maker.age": it has no such field/],
  [{ omit: ['id.x'] }, /Item cannot be filtered by "id.x": it has no such field/],
])('a field that cannot be filtered, and is asked for, is said when the schema is built: %j', (filters, message) => {
  expect(() => shopSchema({ filters })).toThrow(message)
  expect(() => shopSchema({ filters })).toThrow(TypeError)
})

test("a field's own resolve has to come from the event alone, too", () => {
  const asynchronous = async (item: Item) => item
  expect(whereOf(shopSchema({ resolve: asynchronous }))).toBeUndefined()
  expect(() => shopSchema({ resolve: asynchronous, filters: true })).toThrow(
    'The field "item" cannot be filtered, because its resolver is asynchronous',
  )
  const ofArguments = (item: Item, _args: never) => item
  expect(whereOf(shopSchema({ resolve: ofArguments }))).toBeUndefined()
  expect(() => shopSchema({ resolve: ofArguments, filters: { only: ['id'] } })).toThrow(
    'The field "item" cannot be filtered, because its resolver reads, or may read, more than its source',
  )
  expect(whereOf(shopSchema({ resolve: (item) => item, filters: true }))).toBe('ItemFilter')
})

/** A schema with two streams of one type, with these filters. */
function twoStreams(
  first: FiltersOption,
  second: FiltersOption,
  more?: (builder: ReturnType<typeof createBuilder>) => void,
) {
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  const Thing = builder.objectRef<{ id: string; n: number }>('Thing').implement({
    fields: (t) => ({ id: t.exposeID('id'), n: t.exposeInt('n') }),
  })
  more?.(builder)
  builder.subscriptionType({
    fields: (t) => ({
      item: t.stream({ topic: items, type: Thing, ...(first !== undefined && { filters: first }) }),
      other: t.stream({ topic: items, type: Thing, ...(second !== undefined && { filters: second }) }),
      text: t.stream({ topic: items, type: 'String', resolve: ({ id }) => id }),
    }),
  })
  return builder.toSchema()
}

test('fields of one type and choice of fields share its input type; another choice needs another name', () => {
  expect(inputFields(twoStreams(true, undefined), 'ThingFilter')).toEqual(['and', 'id', 'n', 'not', 'or'])
  expect(inputFields(twoStreams({ omit: ['n'] }, { omit: ['n'] }), 'ThingFilter')).not.toContain('n')
  expect(() => twoStreams(true, { only: ['id'] })).toThrow(
    /"ThingFilter" is the filter of two choices of fields.*"name"/,
  )
  const schema = twoStreams(true, { only: ['id'], name: 'ThingsById' })
  expect(inputFields(schema, 'ThingFilter')).toContain('n')
  expect(inputFields(schema, 'ThingsById')).toEqual(['and', 'id', 'not', 'or'])
})

test('a value that is no object takes no filter', () => {
  const args = twoStreams(true, true).getSubscriptionType()?.getFields().text?.args
  expect(args?.map(({ name }) => name)).toEqual(['after', 'last', 'since', 'throttle'])
})

test('a type that has the name of a filter is said to', () => {
  const takeName = (builder: ReturnType<typeof createBuilder>) => {
    builder.inputType('ThingFilter', { fields: (t) => ({ id: t.id() }) })
  }
  expect(() => twoStreams(true, true, takeName)).toThrow('The schema has a type "ThingFilter"')
  expect(() => twoStreams(false, false, takeName)).not.toThrow()
})

test('a builder may build its schema twice', () => {
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  const Thing = builder.objectRef<{ id: string }>('Thing').implement({ fields: (t) => ({ id: t.exposeID('id') }) })
  builder.subscriptionType({ fields: (t) => ({ item: t.stream({ topic: items, type: Thing }) }) })
  expect(whereOf(builder.toSchema())).toBe('ThingFilter')
  expect(whereOf(builder.toSchema())).toBe('ThingFilter')
})
