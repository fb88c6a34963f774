import { defineTopic } from 'sluice'
import { z } from 'zod'
import { REGIONS } from './orders.ts'

/** The sales of a region in a minute so far: a JSON value of the compacted topic `region-sales`. */
export const RegionSales = z.object({
  region: z.enum(REGIONS),
  /** The start of the minute. */
  minute: z.iso.datetime(),
  orders: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
  /** EUR, as decimal text. */
  sales: z.string().regex(/^\d{1,15}\.\d\d$/),
})
export type RegionSales = z.output<typeof RegionSales>

/** The key of a row. */
export function regionSalesKey(region: string, minute: string): string {
  return `${region}/${minute}`
}

/** Optional: a gateway serves the orders of a cluster that does not have it. */
export const regionSales = defineTopic('region-sales', {
  schema: RegionSales,
  key: ({ region, minute }) => regionSalesKey(region, minute),
  index: ['region'],
  table: true,
  readiness: 'optional',
})
