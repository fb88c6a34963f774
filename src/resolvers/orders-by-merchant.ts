import { builder } from '../schema/types/builder.ts'
import { Order } from '../schema/types/order.ts'
import { orders } from '../streams/topics/orders.ts'

builder.subscriptionField('ordersByMerchant', (t) =>
  t.stream({
    topic: orders,
    type: Order,
    description: 'Orders of one merchant, as they are placed and as their status changes.',
    args: { merchantId: t.arg.id({ required: true }) },
    where: ({ merchantId }) => ({ merchantId }),
    filters: true,
  }),
)
