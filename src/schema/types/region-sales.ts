import type { RegionSales as Sales } from '../../streams/topics/region-sales.ts'
import { builder } from './builder.ts'
import { Money, Region } from './order.ts'

export const RegionSales = builder.objectRef<Sales>('RegionSales').implement({
  description: 'The sales of a region in a minute, so far.',
  fields: (t) => ({
    region: t.expose('region', { type: Region }),
    minute: t.expose('minute', { type: 'DateTime', description: 'The start of the minute.' }),
    orders: t.exposeInt('orders', { description: 'Number of orders that were placed.' }),
    sales: t.field({
      type: Money,
      description: 'Their total in EUR, at fixed rates.',
      resolve: ({ sales }) => ({ amount: sales, currency: 'EUR' }),
    }),
  }),
})
