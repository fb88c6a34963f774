import { builder } from '../schema/types/builder.ts'
import { Order, Region } from '../schema/types/order.ts'
import { orders } from '../streams/topics/orders.ts'

builder.subscriptionField('ordersByRegion', (t) =>
  t.stream({
    topic: orders,
    type: Order,
    description: 'Orders of one region, as they are placed and as their status changes.',
    args: { region: t.arg({ type: Region, required: true }) },
    where: ({ region }) => ({ region }),
    filters: true,
  }),
)
