import { builder } from '../schema/types/builder.ts'
import { Region } from '../schema/types/order.ts'
import { RegionSales } from '../schema/types/region-sales.ts'
import { regionSales } from '../streams/topics/region-sales.ts'

/** Absent or null: all regions. */
function whereOf({ regions }: { readonly regions?: readonly (typeof Region.$inferType)[] | null | undefined }) {
  return regions ? { region: { in: regions } } : {}
}

builder.subscriptionField('regionSales', (t) =>
  t.table({
    topic: regionSales,
    type: RegionSales,
    description: 'Sales by region and minute: the rows of the last hour, and then each change of them.',
    args: { regions: t.arg({ type: [Region], description: 'Of these regions; of all, if absent.' }) },
    where: whereOf,
  }),
)

builder.queryField('regionSales', (t) =>
  t.tableRows({
    topic: regionSales,
    type: RegionSales,
    description: 'Sales by region and minute of the last hour, in the order of their keys.',
    args: { regions: t.arg({ type: [Region], description: 'Of these regions; of all, if absent.' }) },
    where: whereOf,
  }),
)
