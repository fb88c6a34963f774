import { MAX_ORDERS } from './filter.ts'

/** What the examples' subscription selects of an order. */
export interface Order {
  readonly id: string
  readonly city: string
  readonly country: string
  readonly status: string
  readonly total: { readonly amount: string; readonly currency: string }
}

export interface Orders {
  /** The newest first, and each order once. */
  readonly items: readonly Order[]
  /** Events that came: an order has one for each status. */
  readonly events: number
}

export const NO_ORDERS: Orders = { items: [], events: 0 }

/** With one event more. An order that is there already moves to the top. */
export function withOrder({ items, events }: Orders, order: Order): Orders {
  const others = items.filter(({ id }) => id !== order.id)
  return { items: [order, ...others].slice(0, MAX_ORDERS), events: events + 1 }
}
