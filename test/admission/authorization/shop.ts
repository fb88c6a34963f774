import { z } from 'zod'
import { createBuilder } from '../../../src/schema/builder.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'

const Sale = z.object({
  id: z.string(),
  seller: z.string(),
  buyer: z.object({ id: z.string(), email: z.string() }).optional(),
})
type Sale = z.output<typeof Sale>

const sales = defineTopic('sales', { schema: Sale, index: ['seller'] })

const A_SALE: Sale = { id: 's', seller: 'm', buyer: { id: 'b', email: 'b@example.com' } }

/** A schema with every kind of rule, on every kind of definition. */
export const shop = (() => {
  const builder = createBuilder()
  const Buyer = builder.objectRef<NonNullable<Sale['buyer']>>('Buyer').implement({
    fields: (t) => ({ id: t.exposeID('id'), email: t.exposeString('email') }),
  })
  const Deal = builder.interfaceRef<Sale>('Deal').implement({
    resolveType: () => 'Sale',
    fields: (t) => ({
      id: t.exposeID('id'),
      buyer: t.field({ type: Buyer, nullable: true, resolve: ({ buyer }) => buyer }),
    }),
  })
  const SaleType = builder.objectRef<Sale>('Sale').implement({
    interfaces: [Deal],
    fields: (t) => ({
      seller: t.exposeString('seller'),
      buyer: t.field({ type: Buyer, nullable: true, authScopes: { scope: 'pii' }, resolve: ({ buyer }) => buyer }),
    }),
  })
  const Margin = builder.objectRef<{ percent: number }>('Margin').implement({
    authScopes: { scope: 'finance' },
    fields: (t) => ({ percent: t.exposeInt('percent') }),
  })
  const SaleFilter = builder.filterFor(SaleType)
  const Search = builder.inputType('Search', { fields: (t) => ({ wheres: t.field({ type: [SaleFilter] }) }) })
  builder.queryType({
    fields: (t) => ({
      sale: t.field({ type: SaleType, resolve: () => A_SALE }),
      deal: t.field({ type: Deal, resolve: () => A_SALE }),
      margin: t.field({ type: Margin, resolve: () => ({ percent: 7 }) }),
      find: t.boolean({ args: { where: t.arg({ type: SaleFilter }) }, resolve: () => true }),
      search: t.boolean({ args: { by: t.arg({ type: Search }) }, resolve: () => true }),
      sold: t.boolean({ args: { by: t.arg.id({ required: true }) }, resolve: () => true }),
      both: t.boolean({ authScopes: { scope: ['a', 'b'] }, resolve: () => true }),
      either: t.boolean({ authScopes: { anyScope: ['a', 'b'] }, resolve: () => true }),
      parts: t.boolean({ authScopes: { $any: { scope: 'a', authenticated: true } }, resolve: () => true }),
    }),
  })
  builder.mutationType({ fields: (t) => ({ sell: t.field({ type: SaleType, resolve: () => A_SALE }) }) })
  builder.subscriptionType({
    fields: (t) => ({
      sales: t.stream({ topic: sales, type: SaleType, filters: true }),
      secretSales: t.stream({ topic: sales, type: SaleType, authScopes: { scope: 'pii' } }),
    }),
  })
  return builder.toSchema()
})()
