import { z } from 'zod'
import { createBuilder } from '../../../src/schema/builder.ts'
import { comparedAs } from '../../../src/schema/filter/comparison.ts'
import type { FiltersOption } from '../../../src/schema/filter/filters.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'

const Category = z.object({
  name: z.string(),
  get parent() {
    return Category.nullable()
  },
})

/** An event with everything that conditions may be of. */
export const Item = z.object({
  id: z.string(),
  n: z.int(),
  weight: z.number().nullable(),
  price: z.string(),
  madeAt: z.iso.datetime({ offset: true }),
  color: z.enum(['red', 'green']),
  isSold: z.boolean(),
  note: z.string().nullable(),
  tags: z.array(z.string()),
  sizes: z.array(z.number()).nullable(),
  shades: z.array(z.enum(['red', 'green'])),
  version: z.string(),
  maker: z.object({ name: z.string(), town: z.object({ name: z.string() }).nullable() }),
  category: Category.nullable(),
})
export type Item = z.output<typeof Item>

export const items = defineTopic('items', {
  schema: Item,
  index: ['id', 'color'],
  ordered: ['n', 'price', 'madeAt'],
})

interface ShopOptions {
  readonly filters?: FiltersOption
  readonly resolve?: (item: Item, ...rest: never[]) => unknown
}

/** A schema with every kind of field, filterable or not, and streams of it. */
export function shopSchema({ filters, resolve }: ShopOptions = {}) {
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  const text = { serialize: String, parseValue: String }
  builder.scalarType('Version' as never, { ...text, extensions: comparedAs('text') } as never)
  builder.scalarType('Blob' as never, text as never)
  const Color = builder.enumType('Color', { values: { RED: { value: 'red' }, GREEN: { value: 'green' } } as const })
  const Named = builder.interfaceRef<{ name: string }>('Named').implement({
    fields: (t) => ({ name: t.exposeString('name') }),
  })
  const Town = builder.objectRef<{ name: string }>('Town').implement({ interfaces: [Named] })
  const Maker = builder.objectRef<Item['maker']>('Maker').implement({
    description: 'Who made it.',
    fields: (t) => ({ name: t.exposeString('name'), town: t.expose('town', { type: Town, nullable: true }) }),
  })
  type CategoryShape = NonNullable<Item['category']>
  const CategoryRef = builder.objectRef<CategoryShape>('Category')
  CategoryRef.implement({
    fields: (t) => ({
      name: t.exposeString('name'),
      parent: t.expose('parent', { type: CategoryRef, nullable: true }),
    }),
  })
  const Price = builder.objectRef<Item>('Price').implement({
    fields: (t) => ({ amount: t.field({ type: 'Decimal', resolve: ({ price }) => price }) }),
  })
  const ItemRef = builder.objectRef<Item>('Item').implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      n: t.exposeInt('n', { description: 'How many there are.' }),
      weight: t.exposeFloat('weight', { nullable: true, deprecationReason: 'It depends on the moon.' }),
      madeAt: t.expose('madeAt', { type: 'DateTime' }),
      color: t.expose('color', { type: Color }),
      isSold: t.exposeBoolean('isSold'),
      note: t.exposeString('note', { nullable: true }),
      tags: t.exposeStringList('tags'),
      sizes: t.exposeFloatList('sizes', { nullable: true }),
      shades: t.expose('shades', { type: [Color] }),
      version: t.expose('version' as never, { type: 'Version' as never }),
      price: t.field({ type: Price, resolve: (item) => item }),
      maker: t.expose('maker', { type: Maker }),
      category: t.expose('category', { type: CategoryRef, nullable: true }),
      label: t.string({ description: 'Computed.', resolve: (item) => `${item.color} ${item.n}` }),
      // What cannot be filtered.
      blob: t.field({ type: 'Blob' as never, resolve: ({ note }) => note as never }),
      later: t.string({ resolve: async ({ note }) => String(note) }),
      promised: t.string({ resolve: ({ note }) => Promise.resolve(String(note)) }),
      times: t.int({ args: { by: t.arg.int() }, resolve: ({ n }, { by }) => n * (by ?? 1) }),
      tier: t.string({ resolve: (_item, _args, { audience }) => String(audience.claims.tier) }),
      makers: t.field({ type: [Maker], resolve: ({ maker }) => [maker] }),
      grid: t.field({ type: t.listRef(t.listRef('Int')), resolve: ({ n }) => [[n]] }),
      named: t.field({ type: Named, resolve: ({ maker }) => maker }),
      not: t.boolean({ resolve: ({ isSold }) => !isSold }),
    }),
  })
  builder.subscriptionType({
    fields: (t) => ({
      item: t.stream({
        topic: items,
        type: ItemRef,
        ...(filters !== undefined && { filters }),
        ...(resolve && { resolve: resolve as (item: Item) => Item }),
      }),
    }),
  })
  return builder.toSchema()
}
