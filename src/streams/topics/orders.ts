import { defineTopic } from 'sluice'
import { z } from 'zod'

export const REGIONS = ['AFRICA', 'ASIA', 'EUROPE', 'NORTH_AMERICA', 'OCEANIA', 'SOUTH_AMERICA'] as const
export const ORDER_STATUSES = ['PLACED', 'PAID', 'SHIPPED', 'CANCELLED'] as const

/** A decimal number as text: no amount is rounded. */
const DECIMAL = /^-?\d{1,15}(\.\d{1,6})?$/

/** One order: a JSON value of the topic `orders`, whose key is `merchantId`. */
export const OrderEvent = z.object({
  id: z.string().min(1),
  merchantId: z.string().min(1),
  region: z.enum(REGIONS),
  country: z.string().length(2),
  city: z.string(),
  lat: z.number().min(-90).max(90),
  lon: z.number().min(-180).max(180),
  amount: z.string().regex(DECIMAL),
  currency: z.string().length(3),
  itemCount: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
  status: z.enum(ORDER_STATUSES),
  placedAt: z.iso.datetime({ offset: true }),
  /** Absent for guests. */
  customer: z.object({ id: z.string().min(1), email: z.string() }).optional(),
})
export type OrderEvent = z.output<typeof OrderEvent>

export const orders = defineTopic('orders', {
  schema: OrderEvent,
  key: 'merchantId',
  index: ['region', 'merchantId'],
  ordered: ['amount', 'placedAt', 'itemCount'],
})
