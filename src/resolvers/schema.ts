/** The gateway's schema: each import registers a root field with the builder. A new field is a line here. */
import './orders.ts'
import './orders-by-merchant.ts'
import './orders-by-region.ts'
import './place-order.ts'
import './recent-orders.ts'
import './region-sales.ts'
import './streams.ts'
import { builder } from '../schema/types/builder.ts'
import { orders } from '../streams/topics/orders.ts'
import { regionSales } from '../streams/topics/region-sales.ts'

export const schema = builder.toSchema()

/** The topics that the schema's fields read. */
export const topics = [orders, regionSales]
