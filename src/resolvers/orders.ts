import { builder } from '../schema/types/builder.ts'
import { Order } from '../schema/types/order.ts'
import { orders } from '../streams/topics/orders.ts'

builder.subscriptionField('orders', (t) =>
  t.stream({
    topic: orders,
    type: Order,
    description: 'Orders, as they are placed and as their status changes.',
    filters: true,
  }),
)
